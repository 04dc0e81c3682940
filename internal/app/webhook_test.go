package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnotherServersHealthIsNotOurs(t *testing.T) {
	healthy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer healthy.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(healthy.URL, http.StatusFound))
	defer elsewhere.Close()
	require.NoError(t, CheckAlive(t.Context(), "WEBHOOK_ADDR", strings.TrimPrefix(healthy.URL, "http://")))
	require.ErrorContains(t, CheckAlive(t.Context(), "WEBHOOK_ADDR", strings.TrimPrefix(elsewhere.URL, "http://")), "302")
}

// A sender of a byte now and then must not hold a connection for ever, nor keep others out.
func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{
		"a header that never ends": "POST /webhooks/didit HTTP/1.1\r\nHost: a\r\nX-Slow: ",
		"a body that never comes":  "POST /webhooks/didit HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- serve(ctx, listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }),
					slog.New(slog.DiscardHandler))
			}()
			var slow []net.Conn
			for range 50 {
				c, err := net.Dial("tcp", listener.Addr().String())
				require.NoError(t, err)
				_, err = c.Write([]byte(first))
				require.NoError(t, err)
				slow = append(slow, c)
			}
			res, err := http.Get("http://" + listener.Addr().String() + "/")
			require.NoError(t, err, "the others were kept out")
			require.NoError(t, res.Body.Close())
			for _, c := range slow {
				require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
				_, err := io.Copy(io.Discard, c) // until the server hangs up
				assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
				require.NoError(t, c.Close())
			}
			stop()
			require.NoError(t, <-done)
		})
	}
}
