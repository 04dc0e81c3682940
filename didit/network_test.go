package didit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedirectsAreRefused(t *testing.T) {
	var followed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		for where, target := range map[string]string{
			"the same host": "/prefix/elsewhere/", "another host": elsewhere.URL, "a broken place": "http://%zz/user-0001",
		} {
			t.Run(fmt.Sprintf("%d to %s", code, where), func(t *testing.T) {
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "elsewhere") {
						followed.Add(1)
					}
					w.Header().Set("Location", target)
					w.WriteHeader(code)
				})
				for op, call := range operations(c) {
					e := apiError(t, call(t.Context()))
					assert.Equal(t, APIError{Op: op, StatusCode: code, Detail: "redirect refused; check the base URL"}, *e)
				}
			})
		}
	}
	assert.Zero(t, followed.Load(), "the API key must not travel")
}

func TestAGivenHTTPClientFollowsNoRedirectEither(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("/else/", http.StatusFound))
	defer srv.Close()
	c, err := NewClient(ClientOptions{BaseURL: srv.URL, APIKey: testKey, HTTPClient: srv.Client()})
	require.NoError(t, err)
	_, err = c.Decision(t.Context(), testID)
	assert.Equal(t, http.StatusFound, apiError(t, err).StatusCode)
}

func TestEndedContexts(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices that its caller is gone only after the body
		<-r.Context().Done()
	}
	hangInBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"session_id":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for where, h := range map[string]http.HandlerFunc{"before the answer": hang, "within the answer": hangInBody} {
		t.Run("a deadline "+where, func(t *testing.T) {
			for op, call := range operations(serve(t, h)) {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				assert.ErrorIs(t, call(ctx), context.DeadlineExceeded, op)
				cancel()
			}
		})
		t.Run("a cancellation with a cause of its own "+where, func(t *testing.T) {
			why := errors.New("the worker stops")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
			_, err := serve(t, h).Decision(ctx, testID)
			assert.ErrorIs(t, err, context.Canceled)
		})
		t.Run("the client's own timeout "+where, func(t *testing.T) {
			c := serve(t, h)
			c.timeout = 50 * time.Millisecond
			_, err := c.Decision(t.Context(), testID)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
	}
}

func TestNetworkErrorsKeepSecrets(t *testing.T) {
	quoting := transportFunc(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
	})
	for name, rt := range map[string]http.RoundTripper{
		"the connection is refused":       nil,
		"a transport that quotes the URL": quoting,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := NewClient(ClientOptions{BaseURL: "http://" + unusedAddress(t), APIKey: testKey, HTTPClient: &http.Client{Transport: rt}})
			require.NoError(t, err)
			_, err = c.ListSessions(t.Context(), ListSessionsRequest{VendorData: "somebody"})
			require.Error(t, err)
			_, refused := errors.AsType[*APIError](err)
			assert.False(t, refused)
			for e := err; e != nil; e = errors.Unwrap(e) {
				assert.NotContains(t, e.Error(), "somebody")
				assert.NotContains(t, e.Error(), testKey)
				assert.NotContains(t, e.Error(), "vendor_data")
			}
			assert.Contains(t, err.Error(), "list sessions")
		})
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unusedAddress is one that refuses connections.
func unusedAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// TestConnectionsAreReused lets 64 callers call at once, round after round, answers that fail among them: the server
// must see about as many connections as callers, not as calls. Twice as many are allowed: net/http may dial for a call
// that in the end gets a connection which came free meanwhile.
func TestConnectionsAreReused(t *testing.T) {
	const callers, rounds = 64, 10
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPatch:
			answerWith(http.StatusServiceUnavailable, strings.Repeat("x", 2*maxErrorAnswer))(w, r)
		case http.MethodDelete:
			answerWith(http.StatusOK, `{"session_id":"`+testID+`"}`)(w, r)
		default:
			answerWith(http.StatusOK, goodDecision)(w, r)
		}
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c, err := NewClient(ClientOptions{BaseURL: srv.URL, APIKey: testKey})
	require.NoError(t, err)
	for range rounds {
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				switch i % 3 {
				case 0:
					_, err := c.Decision(t.Context(), testID)
					assert.NoError(t, err)
				case 1:
					assert.Error(t, c.UpdateStatus(t.Context(), testID, UpdateStatusRequest{NewStatus: StatusApproved}))
				case 2:
					_, err := c.DeleteSession(t.Context(), testID, DeleteSessionRequest{})
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
	}
	assert.LessOrEqual(t, connections.Load(), int32(2*callers))
}
