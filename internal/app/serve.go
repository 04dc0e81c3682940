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

// drainTimeout bounds how long a stopping process waits for requests in flight.
const drainTimeout = 10 * time.Second

// newServer makes an HTTP server with a timeout for every phase of a request.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           drained(h),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(serverErrors{log.Handler()}, slog.LevelWarn),
	}
}

// listen opens the address of a variable.
func listen(ctx context.Context, variable, addr string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s=%s: %w", variable, addr, err)
	}
	return listener, nil
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

// CheckAlive calls /healthz of the process of this machine that listens at addr, by default that of the variable.
func CheckAlive(ctx context.Context, variable, addr string) error {
	url, err := config.LocalURL(cmp.Or(strings.TrimSpace(addr), config.Default(variable)))
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	return Probe(ctx, url+"/healthz")
}

// Probe returns an error unless a GET of url is answered with 200 within 3 seconds.
func Probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // no proxy and no redirect: another server's health says nothing about ours
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", req.URL.Path, res.Status)
	}
	return nil
}

// serverErrors writes the messages of an HTTP server about itself to our log. It drops from them what may come from a peer:
// addresses, headers, the value of a panic.
type serverErrors struct{ slog.Handler }

func (c serverErrors) Handle(ctx context.Context, r slog.Record) error {
	log, text := slog.New(c.Handler), r.Message
	switch {
	case strings.HasPrefix(text, "http: Accept error: "): // about our own socket, such as too many open files
		log.ErrorContext(ctx, "the http server accepts no connections", "error", strings.TrimPrefix(text, "http: Accept error: "))
	case strings.HasPrefix(text, "http: panic serving "):
		log.ErrorContext(ctx, "panic in the http server", "stack", stack(text))
	case strings.HasPrefix(text, "http: superfluous "): // names a line of our code
		log.WarnContext(ctx, "the http server reports an error", "error", text)
	default:
		log.WarnContext(ctx, "the http server reports an error", "error", "of a kind that may quote a peer")
	}
	return nil
}

// stack is what follows the value of a panic, which may have any number of lines.
func stack(text string) string {
	if i := strings.LastIndex(text, "\ngoroutine "); i >= 0 {
		return text[i+1:]
	}
	return ""
}
