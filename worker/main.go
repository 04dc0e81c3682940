// Command worker runs the verifications and calls Didit. It takes its settings from the environment; see docs/reference/settings.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "worker: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv config.Getenv, stdout io.Writer) error {
	if len(args) > 0 {
		return config.Usage(args, stdout, "worker", "Runs the verifications and calls Didit.")
	}
	cfg, err := config.ForWorker(getenv)
	if err != nil {
		return fmt.Errorf("mend the environment and start again (worker --help lists it):\n%w", err)
	}
	logger := config.NewLogger(stdout, cfg.LogLevel, cfg.LogFormat)
	telemetry, err := app.StartTelemetry(ctx, cfg.Telemetry, "worker", logger)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("read the TEMPORAL_ variables: %w", err)
	}
	options.Logger = log.NewStructuredLogger(logger)
	cfg.PayloadKeys.Apply(&options)
	c, err := kyc.Dial(ctx, telemetry.Client(options))
	if err != nil {
		return err
	}
	defer c.Close()
	return app.RunWorker(ctx, c, cfg, logger, telemetry)
}
