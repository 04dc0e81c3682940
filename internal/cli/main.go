package cli

import (
	"context"
	"errors"

	"go.temporal.io/sdk/client"

	"didit-temporal/internal/config"
	"didit-temporal/internal/program"
)

// Purpose is what the starter does, for the help of a binary that has it among its commands.
const Purpose = "Starts verifications and shows how they stand; serves the HTTP API and the codec server."

// Main runs the starter, with the connection of Temporal's own tools and the keys of our payloads.
func Main(ctx context.Context, p program.Process) int {
	return Report(p.Stderr, p.Args, Run(ctx, p, func() (client.Options, error) {
		keys, wrong := config.PayloadKeys(p.Getenv)
		options, err := program.Connection(keys)
		return options, errors.Join(err, wrong)
	}))
}
