package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// running serves h until the test ends and returns the address.
func running(t *testing.T, h http.Handler) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, h, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})
	return listener.Addr().String()
}

// refuses answers without reading the body.
var refuses = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 0 || r.ContentLength > 0 {
		http.Error(w, "no", http.StatusBadRequest)
	}
})

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c
}

// A sender that first sends all and then reads must find the answer. So do proxies: nginx speaks HTTP/1.0 to what is behind it.
func TestARefusalReachesASenderThatIsStillSending(t *testing.T) {
	address := running(t, refuses)
	for name, tc := range map[string]struct{ protocol, header string }{
		"as nginx does": {"HTTP/1.0", "Connection: close\r\n"},
		"once":          {"HTTP/1.1", "Connection: close\r\n"},
	} {
		for _, size := range []int{1, 40_000, 300_000, mostDrained - 10} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				t.Parallel()
				c := dial(t, address)
				_, err := fmt.Fprintf(c, "POST / %s\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", tc.protocol, tc.header, size, strings.Repeat("x", size))
				require.NoError(t, err)
				answer, err := io.ReadAll(c)
				require.NoError(t, err, "the connection was reset")
				assert.Contains(t, string(answer), "400 Bad Request")
				assert.Contains(t, string(answer), "\r\n\r\n")
			})
		}
	}
}

// A body that never ends is not read for ever, and its sender gets the answer all the same.
func TestABodyWithoutEndIsNotReadForEver(t *testing.T) {
	address := running(t, refuses)
	for name, pause := range map[string]time.Duration{"as fast as it can": 0, "slowly": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, address)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
				for err == nil {
					_, err = io.WriteString(c, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n")
					time.Sleep(pause) // as a slow sender does
				}
			}()
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			require.NoError(t, err)
			assert.Equal(t, http.StatusBadRequest, res.StatusCode)
			<-ended // the server has hung up: the sender's deadline is a minute away
		})
	}
}

// What was left of a refused body must not be taken for the next request on the connection.
func TestTheRestOfABodyIsNoRequest(t *testing.T) {
	address := running(t, refuses)
	c := dial(t, address)
	_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab")
	require.NoError(t, err)
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	assert.True(t, res.Close)
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	_, err = http.ReadResponse(in, nil)
	require.Error(t, err)
}

// A sender that asks first gets its answer at once, and sends no body.
func TestASenderThatExpects100ContinueSendsNoBody(t *testing.T) {
	address := running(t, refuses)
	c := dial(t, address)
	_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
}
