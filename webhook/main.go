// Command webhook takes Didit's webhooks and hands them to the verifications. It takes its settings from the environment; see docs/reference/settings.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
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
		fmt.Fprintf(os.Stderr, "webhook: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv config.Getenv, stdout io.Writer) error {
	if slices.Equal(args, []string{"-check"}) { // the container's health check: its image has no other program
		return app.CheckWebhook(ctx, getenv("WEBHOOK_ADDR"))
	}
	if len(args) > 0 {
		return config.Usage(args, stdout, "webhook", "Takes Didit's webhooks and hands them to the verifications.")
	}
	cfg, err := config.ForWebhook(getenv)
	if err != nil {
		return fmt.Errorf("mend the environment and start again (webhook --help lists it):\n%w", err)
	}
	logger := config.NewLogger(stdout, cfg.LogLevel, cfg.LogFormat)
	telemetry, err := app.StartTelemetry(ctx, cfg.Telemetry, "webhook", logger)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("read the TEMPORAL_ variables: %w", err)
	}
	options.Logger = log.NewStructuredLogger(logger)
	c, err := kyc.Dial(ctx, telemetry.Client(options))
	if err != nil {
		return err
	}
	defer c.Close()
	return app.RunWebhook(ctx, c, cfg, logger, telemetry)
}
