package app

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refusing is a listener that has no more file descriptors, once.
type refusing struct {
	net.Listener
	refused bool
}

func (l *refusing) Accept() (net.Conn, error) {
	if !l.refused {
		l.refused = true
		return nil, outOfFiles{}
	}
	return l.Listener.Accept()
}

type outOfFiles struct{}

func (outOfFiles) Error() string   { return "too many open files" }
func (outOfFiles) Timeout() bool   { return false }
func (outOfFiles) Temporary() bool { return true }

func TestErrorsOfTheHTTPServerAreLoggedWithoutWhatPeersSent(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var log bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, &refusing{Listener: listener}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/panic":
				panic("PERSONAL\ngoroutine PERSONAL")
			case "/twice":
				w.WriteHeader(http.StatusOK)
				w.WriteHeader(http.StatusOK)
			case "/length":
				w.Header().Set("Content-Length", "PERSONAL"+r.Header.Get("X-Name"))
				w.WriteHeader(http.StatusOK)
			}
		}), slog.New(slog.NewTextHandler(&log, nil)))
	}()
	for _, path := range []string{"/panic", "/twice", "/length"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		require.NoError(t, err)
		req.Header.Set("X-Name", "Ann")
		if res, err := http.DefaultClient.Do(req); err == nil {
			require.NoError(t, res.Body.Close())
		}
	}
	stop()
	require.NoError(t, <-done)
	for _, want := range []string{
		`level=ERROR msg="the http server accepts no connections" error="too many open files; retrying in`,
		`level=ERROR msg="panic in the http server" stack="goroutine `, "servererrors_test.go:",
		`level=WARN msg="the http server reports an error" error="http: superfluous response.WriteHeader call from`,
		`level=WARN msg="the http server reports an error" error="of a kind that may quote a peer"`,
	} {
		assert.Contains(t, log.String(), want)
	}
	for _, never := range []string{"PERSONAL", "Ann", "127.0.0.1"} {
		assert.NotContains(t, log.String(), never)
	}
}
