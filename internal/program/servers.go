package program

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// What the servers do, for their help and for that of the binary that has them all.
const (
	WorkerPurpose  = "Runs the verifications and calls Didit."
	WebhookPurpose = "Receives Didit's webhooks and delivers them to the verifications."
)

// Worker runs the worker. Its settings come from the environment.
func Worker(ctx context.Context, p Process) int {
	return p.serve("worker", WorkerPurpose, func() error {
		cfg, err := config.ForWorker(p.Getenv)
		if err != nil {
			return invalid("worker", err)
		}
		s := server{"worker", cfg.Telemetry, cfg.PayloadKeys, config.NewLogger(p.Stdout, cfg.LogLevel, cfg.LogFormat)}
		return s.run(ctx, func(c *kyc.Client, t *app.Telemetry) error { return app.RunWorker(ctx, c, cfg, s.log, t) })
	})
}

// Webhook runs the webhook. Its settings come from the environment. With -check it asks the one that runs on this machine
// whether it is alive.
func Webhook(ctx context.Context, p Process) int {
	if slices.Equal(p.Args, []string{"-check"}) {
		return p.report("webhook", app.CheckWebhook(ctx, p.Getenv("WEBHOOK_ADDR")))
	}
	return p.serve("webhook", WebhookPurpose, func() error {
		cfg, err := config.ForWebhook(p.Getenv)
		if err != nil {
			return invalid("webhook", err)
		}
		s := server{"webhook", cfg.Telemetry, codec.Keys{}, config.NewLogger(p.Stdout, cfg.LogLevel, cfg.LogFormat)}
		return s.run(ctx, func(c *kyc.Client, t *app.Telemetry) error { return app.RunWebhook(ctx, c, cfg, s.log, t) })
	})
}

// serve runs a server, unless the arguments ask for its version or its help.
func (p Process) serve(name, purpose string, run func() error) int {
	switch {
	case len(p.Args) == 0:
		return p.report(name, run())
	case p.printVersion(name):
		return 0
	}
	if err := config.Usage(p.Args, p.Stdout, name, purpose); err != nil {
		return p.report(name, coded{err, exitUsage})
	}
	return 0
}

func invalid(name string, err error) error {
	return coded{fmt.Errorf("Invalid configuration (%s --help lists the settings):\n%w", name, err), exitUsage} //nolint:staticcheck // it begins a text
}

// server is what the worker and the webhook have in common.
type server struct {
	name      string
	telemetry config.Telemetry
	keys      codec.Keys
	log       *slog.Logger
}

// run connects to Temporal and runs work, with telemetry around it.
func (s server) run(ctx context.Context, work func(*kyc.Client, *app.Telemetry) error) error {
	telemetry, err := app.StartTelemetry(ctx, s.telemetry, s.name, s.log)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return coded{fmt.Errorf("read the TEMPORAL_ settings: %w", err), exitUsage}
	}
	options.Logger = log.NewStructuredLogger(s.log)
	s.keys.Apply(&options)
	c, err := kyc.Dial(ctx, telemetry.Client(options))
	if err != nil {
		return coded{err, exitTemporal}
	}
	defer c.Close()
	return work(c, telemetry)
}
