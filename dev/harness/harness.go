// Package harness starts parts of the system for a test, and stops them with it: a Temporal server, clients, our programs.
package harness

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// Temporal starts a server and prepares its namespace, as `starter setup` does.
func Temporal(tb testing.TB, o tserver.Options) (*tserver.Server, *kyc.Client) {
	tb.Helper()
	server := tserver.Run(tb, o)
	c := Dial(tb, client.Options{HostPort: server.Address})
	_, err := ops.New(c).Setup(tb.Context())
	require.NoError(tb, err)
	return server, c
}

// Dial connects. Without a logger in o it logs nothing.
func Dial(tb testing.TB, o client.Options) *kyc.Client {
	tb.Helper()
	if o.Logger == nil {
		o.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	}
	c, err := kyc.Dial(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(c.Close)
	return c
}

// Serve serves a handler and returns its URL.
func Serve(tb testing.TB, h http.Handler) string {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	return server.URL
}

// Call sends JSON with a bearer token and returns the status and the body of the answer.
func Call(ctx context.Context, c *http.Client, token, method, url, body string) (code int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	res, err := c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// Address is a free one on loopback.
func Address(tb testing.TB) string {
	tb.Helper()
	address, err := port.Free()
	require.NoError(tb, err)
	return address
}

// Supervise runs a program of a folder, and shows the end of its log if the test failed.
func Supervise(tb testing.TB, folder, name string, args []string, env ...string) *procs.Program {
	tb.Helper()
	p := procs.Supervise(filepath.Join(folder, name), args, tb.TempDir(), env...)
	tb.Cleanup(func() {
		p.Stop()
		if tb.Failed() {
			tb.Logf("%s %v logged last:\n%s", name, args, p.Log())
		}
	})
	return p
}

// Run runs a process of ours in the test process until stop or the end of the test, as SIGTERM would end it.
func Run(tb testing.TB, process func(context.Context) error) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- process(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// Within is the test's context with a timeout.
func Within(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), d)
	tb.Cleanup(cancel)
	return ctx
}
