package app

import (
	"cmp"
	"context"
	"log/slog"
	"net"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/internal/tracing"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// RunWebhook serves Didit's webhooks until ctx ends, then answers the requests in flight.
func RunWebhook(ctx context.Context, c *kyc.Client, cfg config.Webhook, log *slog.Logger, given ...*Telemetry) error {
	if err := c.Ready(ctx); err != nil { // in a namespace that does not exist every event would fail
		return err
	}
	listener, err := listen(ctx, "WEBHOOK_ADDR", cfg.Addr)
	if err != nil {
		return err
	}
	return ServeWebhook(ctx, listener, c, cfg, log, given...)
}

// ServeWebhook is RunWebhook on a listener that is open already.
func ServeWebhook(ctx context.Context, listener net.Listener, c *kyc.Client, cfg config.Webhook, log *slog.Logger, given ...*Telemetry) error {
	telemetry := telemetryOf(given)
	log = telemetry.tracing.Log(log)
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: config.RevealAll(cfg.Secrets), Tolerance: cfg.Tolerance, MaxBody: int(cfg.MaxBody)})
	if err != nil {
		return err
	}
	ready := telemetry.becomesReady(c.Ready)
	r := receiver.New(receiver.Options{
		Verifier: verifier, Deliverer: c, Environment: didit.Environment(cfg.Environment), Deployment: cmp.Or(cfg.Deployment, c.Namespace()),
		MaxBody: cfg.MaxBody, Log: log, Ready: ready.check, AllowFrom: cfg.AllowFrom, TrustedProxies: cfg.TrustedProxies,
		Observe: telemetry.metrics.Webhook, Misrouted: telemetry.metrics.Misrouted,
	})
	ctx, cancel := ready.drainFirst(ctx, cfg.ShutdownDelay)
	defer cancel()
	telemetry.metrics.OfWebhook()
	telemetry.metrics.Publish(cfg.Published(c.Namespace()).Labels())
	telemetry.metrics.SamplePollers(ctx, ops.New(c), log)
	log.Info("webhook listens", "address", listener.Addr().String(), "path", receiver.Path, "environment", cfg.Environment)
	reporting := reportingListener{listener, func(code int, first []byte) { r.Stray(strayOf(code, first), code, "") }}
	err = serve(ctx, reporting, ready.hangUp(telemetry.tracing.Handler(r.Handler(), tracing.NewTrace, webhookRoute)), log)
	log.Info("webhook has stopped", "deliveries", r.Counts())
	return err
}
