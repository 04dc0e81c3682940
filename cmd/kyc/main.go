// Command kyc is worker, webhook and starter in one binary, for images; `kyc --help` lists its commands.
package main

import (
	"os"

	"didit-temporal/internal/cli"
	"didit-temporal/internal/program"
)

func main() {
	os.Exit(program.Main(run, os.Args[1:], os.Getenv, os.Environ))
}

var run = program.Commands("kyc", "kyc verifies the users of a signup service at Didit, each as a workflow in Temporal.",
	program.Command{Name: "worker", Purpose: program.WorkerPurpose, Run: program.Worker},
	program.Command{Name: "webhook", Purpose: program.WebhookPurpose, Run: program.Webhook},
	program.Command{Name: "starter", Purpose: cli.Purpose, Run: cli.Main},
	program.Command{Name: "probe", Purpose: program.ProbePurpose, Run: program.Probe},
)
