package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/tracing"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// drainTimeout lets deliveries in flight have their answer when the process stops.
const drainTimeout = 10 * time.Second

// RunWebhook serves Didit's webhooks until ctx ends, then answers the requests in flight.
func RunWebhook(ctx context.Context, c *kyc.Client, cfg config.Webhook, log *slog.Logger, seen ...*Observed) error {
	if err := c.Ready(ctx); err != nil { // a namespace that does not exist would turn every event away
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen on WEBHOOK_ADDR=%s: %w", cfg.Addr, err)
	}
	return ServeWebhook(ctx, listener, c, cfg, log, seen...)
}

// ServeWebhook is RunWebhook on a listener that is open already.
func ServeWebhook(ctx context.Context, listener net.Listener, c *kyc.Client, cfg config.Webhook, log *slog.Logger, seen ...*Observed) error {
	watch := observedBy(seen)
	log = watch.tracing.Log(log)
	secrets := make([]string, len(cfg.Secrets))
	for i, s := range cfg.Secrets {
		secrets[i] = s.Reveal()
	}
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: secrets, Tolerance: cfg.Tolerance, MaxBody: int(cfg.MaxBody)})
	if err != nil {
		return err
	}
	r := receiver.New(receiver.Options{
		Verifier: verifier, Deliverer: c, Environment: didit.Environment(cfg.Environment), MaxBody: cfg.MaxBody, Log: log, Ready: c.Ready,
		AllowFrom: cfg.AllowFrom, TrustedProxies: cfg.TrustedProxies, Observe: watch.metrics.Webhook,
	})
	notePayloadKeys(cfg.PayloadKeys, log)
	watch.metrics.OfWebhook()
	watch.metrics.SamplePollers(ctx, c, log)
	log.Info("webhook listens", "address", listener.Addr().String(), "path", receiver.Path, "environment", cfg.Environment)
	err = serve(ctx, listener, watch.tracing.Handler(r.Handler(), tracing.Nobody, webhookRoute))
	log.Info("webhook has stopped", "deliveries", r.Counts())
	return err
}

// serve serves until ctx ends and then waits for the requests in flight.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(listener); err != http.ErrServerClosed {
			return err
		}
		return nil
	})
	g.Go(func() error { // Serve returns when Shutdown starts: wait here until it has drained
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		return srv.Shutdown(drain)
	})
	return g.Wait()
}

// CheckWebhook asks the webhook process at addr (WEBHOOK_ADDR) on this machine whether it is alive.
func CheckWebhook(ctx context.Context, addr string) error {
	return checkAlive(ctx, "WEBHOOK_ADDR", addr)
}

// checkAlive asks a process of ours that listens where a variable says.
func checkAlive(ctx context.Context, variable, addr string) error {
	host, port, err := net.SplitHostPort(cmp.Or(strings.TrimSpace(addr), config.Default(variable)))
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // no proxy and no redirect: somebody else's health is not ours
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /healthz: %s", res.Status)
	}
	return nil
}
