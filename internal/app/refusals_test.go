package app

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/webhook/receiver"
)

// net/http answers these by itself. Should a newer Go say something else, this test shows it.
func TestWhatTheServerRefusesItselfIsReported(t *testing.T) {
	type report struct {
		why  receiver.Stray
		code int
	}
	reports := make(chan report, 1)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	handled := make(chan struct{}, 1)
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		handled <- struct{}{}
		w.WriteHeader(http.StatusBadRequest)
	}), slog.New(slog.DiscardHandler))
	go func() {
		_ = srv.Serve(reportingListener{listener, func(code int, first []byte) { reports <- report{strayOf(code, first), code} }})
	}()
	defer func() { _ = srv.Close() }()
	const request = "POST /webhooks/didit HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
	for name, tc := range map[string]struct {
		sent string
		want report
	}{
		"PROXY protocol, version 1": {"PROXY TCP4 18.203.201.92 10.0.0.1 4711 80\r\n" + request + "\r\n", report{receiver.StrayProxy, 400}},
		"PROXY protocol, version 2": {"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x12\xcb\xc9\x5c\x0a\x00\x00\x01\x12\x67\x00\x50" + request + "\r\n", report{receiver.StrayProxy, 400}},
		"TLS":                       {"\x16\x03\x01\x00\x05hello\r\n\r\n", report{receiver.StrayTLS, 400}},
		"headers without end":       {request + "X-Filler: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", report{receiver.StrayHeaders, 431}},
		"no HTTP":                   {"hello\r\n\r\n", report{receiver.StrayRequest, 400}},
		"no host":                   {"POST /webhooks/didit HTTP/1.1\r\n\r\n", report{receiver.StrayRequest, 400}},
		"another transfer encoding": {request + "Transfer-Encoding: gzip\r\n\r\n", report{receiver.StrayRequest, 501}},
		"another version":           {"POST / HTTP/7.0\r\nHost: a\r\n\r\n", report{receiver.StrayRequest, 505}},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, listener.Addr().String())
			go func() { _, _ = io.WriteString(c, tc.sent) }()
			assert.Equal(t, tc.want, <-reports)
			_, _ = io.Copy(io.Discard, c)
		})
	}
	t.Run("a handler's own refusal", func(t *testing.T) {
		c := dial(t, listener.Addr().String())
		_, err := io.WriteString(c, request+"Connection: close\r\n\r\n")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, c)
		require.NoError(t, err)
		<-handled
		assert.Empty(t, reports)
	})
}
