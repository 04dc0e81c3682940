package stack

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// The worker and the webhook run here as in production, by the same code; only their settings are ours.

func webhookPorts(o *Options) []wanted {
	return []wanted{{what: "webhook", flag: "-webhook-port", port: &o.WebhookPort}}
}

func noPorts(*Options) []wanted { return nil }

func startWebhook(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "webhook", s.o.MetricsPort+1)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.hostPort(s.o.WebhookPort))
	if err != nil {
		return err
	}
	cfg := s.webhookSettings()
	s.run(func(ctx context.Context) error {
		return app.ServeWebhook(ctx, listener, c, cfg, s.log("webhook"), watch)
	})
	s.Addresses = append(s.Addresses, Address{Key: "webhook", Title: "Webhook", Value: s.webhookURL()})
	return nil
}

func startWorker(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "worker", s.o.MetricsPort)
	if err != nil {
		return err
	}
	if _, err := ops.New(c).Setup(ctx); err != nil {
		return err
	}
	if _, err := ops.New(c).SetupSweep(ctx); err != nil {
		return err
	}
	if s.o.Results != nil {
		if err := startResults(ctx, s); err != nil {
			return err
		}
	}
	cfg := s.toldResults(s.workerSettings())
	s.run(func(ctx context.Context) error { return app.RunWorker(ctx, c, cfg, s.log("worker"), watch) })
	return nil
}

func (s *Stack) webhookSettings() config.Webhook {
	if s.o.Real != nil {
		return s.o.Real.Webhook
	}
	return config.Webhook{
		Secrets: []config.Secret{config.NewSecret(simulatorSecret)}, Tolerance: 6 * time.Minute,
		Environment: config.Environment(simulatorEnviron), MaxBody: 1 << 20,
	}
}

func (s *Stack) workerSettings() config.Worker {
	if s.o.Real != nil {
		return s.o.Real.Worker
	}
	return config.Worker{
		DiditAPIKey: config.NewSecret(simulatorAPIKey), DiditWorkflowID: simulatorFlow, DiditBaseURL: s.simulatorURL(),
		Environment: config.Environment(simulatorEnviron), WritesPerMinute: 300, ReadsPerMinute: 600, QueuePartitions: 1,
		SessionDeadline: 8 * 24 * time.Hour, ReconcileAfter: 15 * time.Minute, SessionCap: 3, PayloadKeys: s.keys(),
	}
}

// Client connects to the Temporal that runs here.
func (s *Stack) Client(ctx context.Context) (*kyc.Client, error) { return s.dial(ctx, "client") }

func (s *Stack) dial(ctx context.Context, who string) (*kyc.Client, error) {
	o := client.Options{HostPort: s.o.reach(s.o.TemporalPort), Logger: log.NewStructuredLogger(s.log(who))}
	s.keys().Apply(&o)
	c, err := kyc.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { c.Close(); return nil })
	return c, nil
}

// run runs a process until the stack stops. Failed reports one that ends earlier.
func (s *Stack) run(process func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := process(ctx)
		if ctx.Err() == nil {
			s.failed <- errors.Join(err, errors.New("ended by itself"))
		}
		done <- err
	}()
	s.stops = append(s.stops, func() error {
		cancel()
		return <-done
	})
}

// Failed reports a process that ended before Stop.
func (s *Stack) Failed() <-chan error { return s.failed }

func (s *Stack) log(who string) *slog.Logger { return s.o.Log.With("process", who) }
