// Command webhook receives Didit's webhooks and delivers them to the verifications. It takes its settings from the environment; see
// docs/reference/settings.md.
package main

import (
	"os"

	"didit-temporal/internal/program"
)

func main() {
	os.Exit(program.Main(program.Webhook, os.Args[1:], os.Getenv, os.Environ))
}
