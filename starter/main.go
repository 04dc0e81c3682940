// Command starter starts verifications and shows how they stand; `starter --help` explains it.
package main

import (
	"os"

	"didit-temporal/internal/cli"
	"didit-temporal/internal/program"
)

func main() {
	os.Exit(program.Main(cli.Main, os.Args[1:], os.Getenv, os.Environ))
}
