// Command worker runs the verifications and calls Didit. It takes its settings from the environment; see docs/reference/settings.md.
package main

import (
	"os"

	"didit-temporal/internal/program"
)

func main() {
	os.Exit(program.Main(program.Worker, os.Args[1:], os.Getenv, os.Environ))
}
