package codecserver_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/internal/codecserver"
)

// guesser tries tokens.
type guesser struct {
	*bench
	slowed, wrong atomic.Int64
}

func newGuesser(t *testing.T) *guesser {
	t.Helper()
	g := &guesser{bench: newBench(t, token)}
	g.h = codecserver.New(codecserver.Options{
		Codec: g.keys.Codec(), Tokens: []string{token}, Origins: []string{webUI}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return g.now },
		Guessed: func(slowed bool) {
			if slowed {
				g.slowed.Add(1)
			} else {
				g.wrong.Add(1)
			}
		},
	})
	return g
}

func (g *guesser) try(from, path, token string) int {
	body, kind := `{"payloads":[]}`, "application/json"
	if path == "/login" {
		body, kind = "token="+token, "application/x-www-form-urlencoded"
	}
	r := httptest.NewRequestWithContext(g.t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = from
	r.Header.Set("Content-Type", kind)
	if path != "/login" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	return w.Code
}

func TestGuessingIsSlowedAndCounted(t *testing.T) {
	for _, path := range []string{"/login", "/decode"} {
		t.Run(path, func(t *testing.T) {
			g := newGuesser(t)
			var all sync.WaitGroup
			for i := range 5000 {
				all.Go(func() { g.try("203.0.113.9:1", path, fmt.Sprintf("guess-%d", i)) })
			}
			all.Wait()
			assert.EqualValues(t, 10, g.wrong.Load(), "compared")
			assert.EqualValues(t, 4990, g.slowed.Load())
			assert.Equal(t, http.StatusTooManyRequests, g.try("203.0.113.9:1", path, token), "it would be a guess like any other")
			assert.Equal(t, http.StatusOK, g.try("203.0.113.10:1", path, token), "another sender")
			g.now = g.now.Add(10 * time.Second)
			assert.Equal(t, http.StatusOK, g.try("203.0.113.9:1", path, token), "a while later")
			assert.Equal(t, http.StatusUnauthorized, g.try("203.0.113.9:1", path, "wrong"))
			assert.Equal(t, http.StatusTooManyRequests, g.try("203.0.113.9:1", path, "wrong"))
		})
	}
}

// The Web UI asks all the time.
func TestTheRightTokenIsNeverSlowed(t *testing.T) {
	g := newGuesser(t)
	for range 1000 {
		assert.Equal(t, http.StatusOK, g.try("203.0.113.9:1", "/decode", token))
	}
	assert.Zero(t, g.wrong.Load()+g.slowed.Load())
}

// A guesser with many addresses gains little by them, and takes no memory.
func TestGuessersOfManyAddressesShareOneAllowance(t *testing.T) {
	g := newGuesser(t)
	first := netip.MustParseAddr("2001:db8::1")
	for i := range 200 { // one network
		first = first.Next()
		g.try(netip.AddrPortFrom(first, 1).String(), "/login", fmt.Sprint(i))
	}
	assert.EqualValues(t, 10, g.wrong.Load())
	for i := range 6000 { // as many networks
		g.try(fmt.Sprintf("10.1.%d.%d:1", i/250, i%250), "/login", "wrong")
	}
	assert.Less(t, g.wrong.Load(), int64(10+4096+10))
}
