package tracing

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"

	"didit-temporal/internal/config"
)

// begin starts tracing towards a collector, and returns what it logs.
func begin(t *testing.T, collector http.HandlerFunc) (*Tracing, *sink) {
	t.Helper()
	srv := httptest.NewServer(collector)
	t.Cleanup(srv.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", srv.URL+"/take")
	lines := &sink{}
	tr, err := Start(t.Context(), "test", config.Traces{Protocol: config.HTTPProtobuf, URL: srv.URL + "/take"}, slog.New(slog.NewJSONHandler(lines, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) })
	assert.Contains(t, lines.String(), `"msg":"traces","url":"`+srv.URL+`/take","protocol":"http/protobuf"`, "one line says where traces go")
	return tr, lines
}

// sink keeps lines that several goroutines log.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (t *Tracing) make(spans int) {
	for range spans {
		_, s := t.tracer.Start(context.Background(), "one")
		s.End()
	}
}

func TestTheEndpointOfTracesAloneIsEnough(t *testing.T) {
	var asked atomic.Value
	tr, lines := begin(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked.Store(r.URL.Path)
	})
	tr.make(3)
	tr.Close()
	assert.Equal(t, "/take", asked.Load(), "taken as it is, nothing added")
	assert.NotContains(t, lines.String(), "lost")
}

func TestSpansThatAreLostAtAStopAreLogged(t *testing.T) {
	stop := make(chan struct{})
	tr, lines := begin(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	defer close(stop)
	tr.flush = 50 * time.Millisecond
	tr.make(3)
	tr.Close()
	assert.Contains(t, lines.String(), `"spans are lost: the collector did not take them","ended":3,"sent":0`)
	for line := range strings.Lines(lines.String()) {
		assert.Truef(t, strings.HasPrefix(line, "{"), "every line is JSON: %s", line)
	}
}

func TestSpansThatAreRefusedAreLogged(t *testing.T) {
	tr, lines := begin(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	tr.make(2)
	tr.Close()
	assert.Contains(t, lines.String(), `"ended":2,"sent":0`)
}
