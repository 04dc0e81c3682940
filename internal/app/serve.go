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

	"didit-temporal/internal/config"
)

// drainTimeout lets deliveries in flight have their answer when the process stops.
const drainTimeout = 10 * time.Second

// newServer makes an HTTP server on which nothing waits for ever.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	srv := &http.Server{
		Handler:           drained(h),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	complaints(srv, log)
	return srv
}

// serve serves until ctx ends and then waits for the requests in flight.
func serve(ctx context.Context, listener net.Listener, h http.Handler, log *slog.Logger) error {
	srv := newServer(h, log)
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

// checkAlive asks a process of ours that listens where a variable says.
func checkAlive(ctx context.Context, variable, addr string) error {
	host, port, err := net.SplitHostPort(cmp.Or(strings.TrimSpace(addr), config.Default(variable)))
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return Probe(ctx, "http://"+net.JoinHostPort(host, port)+"/healthz")
}

// Probe returns an error unless a GET of url is answered with 200 within 3 seconds.
func Probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // no proxy and no redirect: somebody else's health is not ours
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", req.URL.Path, res.Status)
	}
	return nil
}
