package program

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/version"
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
		if err == nil {
			cfg.Versioning, err = named(cfg.Versioning, version.Get().Version)
		}
		if err != nil {
			return invalid("worker", err)
		}
		return p.connected(ctx, "worker", cfg.Telemetry, cfg.PayloadKeys, func(c *kyc.Client, log *slog.Logger, t *app.Telemetry) error {
			return app.RunWorker(ctx, c, cfg, log, t)
		})
	})
}

// named gives a worker with a version the program's version as its build id, unless it has one.
func named(v config.Versioning, program string) (config.Versioning, error) {
	if !v.On() || v.BuildID != "" {
		return v, nil
	}
	if v.BuildID = program; program == version.Unknown || program == "(devel)" {
		return v, errors.New("WORKER_VERSIONING needs WORKER_BUILD_ID, because this build has no version")
	}
	return v, nil
}

// Webhook runs the webhook. Its settings come from the environment. With -check it asks the one that runs on this machine
// whether it is alive.
func Webhook(ctx context.Context, p Process) int {
	if slices.Equal(p.Args, []string{"-check"}) {
		return p.report("webhook", app.CheckAlive(ctx, "WEBHOOK_ADDR", p.Getenv("WEBHOOK_ADDR")))
	}
	return p.serve("webhook", WebhookPurpose, func() error {
		cfg, err := config.ForWebhook(p.Getenv)
		if err != nil {
			return invalid("webhook", err)
		}
		return p.connected(ctx, "webhook", cfg.Telemetry, codec.Keys{}, func(c *kyc.Client, log *slog.Logger, t *app.Telemetry) error {
			return app.RunWebhook(ctx, c, cfg, log, t)
		})
	})
}

// serve runs a server, unless the arguments ask for its version or its help.
func (p Process) serve(name, purpose string, run func() error) int {
	switch {
	case len(p.Args) == 0:
		err := run()
		if kyc.OfTemporal(err) {
			err = coded{err, exitTemporal}
		}
		return p.report(name, err)
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

// connected runs work with the connection and the logger that the environment sets.
func (p Process) connected(ctx context.Context, name string, cfg config.Telemetry, keys codec.Keys, work func(*kyc.Client, *slog.Logger, *app.Telemetry) error) error {
	options, err := Connection(keys)
	if err != nil {
		return coded{fmt.Errorf("read the TEMPORAL_ settings: %w", err), exitUsage}
	}
	logger := config.NewLogger(p.Stdout, cfg.LogLevel, cfg.LogFormat)
	return Serve(ctx, name, cfg, options, logger, func(c *kyc.Client, t *app.Telemetry) error { return work(c, logger, t) })
}

// Connection is that of Temporal's own tools, by TEMPORAL_ADDRESS and the other variables, with the keys of our payloads.
func Connection(keys codec.Keys) (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	keys.Apply(&options)
	return options, err
}

// Serve connects to Temporal and runs work, with the telemetry of the named process around both.
func Serve(ctx context.Context, name string, cfg config.Telemetry, o client.Options, logger *slog.Logger, work func(*kyc.Client, *app.Telemetry) error) error {
	telemetry, err := app.StartTelemetry(ctx, cfg, name, logger)
	if err != nil {
		return err
	}
	defer telemetry.Close()
	o.Logger = log.NewStructuredLogger(logger)
	c, err := kyc.Dial(ctx, telemetry.Client(o))
	if err != nil {
		return err
	}
	defer c.Close()
	return work(c, telemetry)
}
