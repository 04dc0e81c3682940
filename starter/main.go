// Command starter starts verifications and shows their states; see `starter --help`.
package main

import (
	"os"

	"didit-temporal/internal/cli"
	"didit-temporal/internal/program"
)

func main() {
	os.Exit(program.Main(cli.Main, os.Args[1:], os.Getenv, os.Environ))
}
