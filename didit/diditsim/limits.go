package diditsim

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Scope is one of Didit's rate limits, each with a count of its own for each key
// (https://docs.didit.me/integration/rate-limiting). An endpoint's scope counts in addition to the generic one: to create
// a session is a write too, so the documented 600 creates a minute are 300 in effect.
type Scope string

// The scopes of what a Server has. The hosted page and the health check are in none.
const (
	ScopeRead   Scope = "generic-get"       // every GET
	ScopeWrite  Scope = "generic-write"     // every other method
	ScopeCreate Scope = "session-v2-create" // POST /v3/session/
)

// documented are the calls that Didit allows in a window.
var documented = map[Scope]int{ScopeRead: 600, ScopeWrite: 300, ScopeCreate: 600}

// Limits are how many calls of each scope a key may make within one Window, which slides: a call leaves it when it is
// exactly a Window old. A zero field is what Didit documents: 600 reads, 300 writes, 600 creates, 60 s. A negative number
// lifts that limit; the calls are counted all the same.
//
// The key is the header x-api-key, without one the first hop of X-Forwarded-For, without that the remote address.
// Every call to an endpoint under /v3/ counts when it arrives, whatever its answer: a wrong key, a missing slash, a Fault
// of any kind, even one that does nothing or answers 429 itself. A call that is refused for a limit meets no Fault and
// counts against no scope. Didit documents neither; a client whose limits depend on this is too close to them.
type Limits struct {
	Reads, Writes, Creates int
	Window                 time.Duration
}

// Unlimited lifts every limit, for tests of something else.
var Unlimited = Limits{Reads: -1, Writes: -1, Creates: -1}

// of is the limit of a scope, negative if there is none.
func (l Limits) of(scope Scope) int {
	set := map[Scope]int{ScopeRead: l.Reads, ScopeWrite: l.Writes, ScopeCreate: l.Creates}[scope]
	return max(cmp.Or(set, documented[scope]), -1)
}

func (l Limits) window() time.Duration { return cmp.Or(max(l.Window, 0), time.Minute) }

// scopesOf returns the scopes of a call, the generic one first.
func scopesOf(endpoint string, r *http.Request) []Scope {
	switch {
	case !strings.HasPrefix(r.URL.Path, "/v3/"):
		return nil
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return []Scope{ScopeRead}
	case endpoint == EndpointCreate:
		return []Scope{ScopeWrite, ScopeCreate}
	}
	return []Scope{ScopeWrite}
}

// callerOf identifies the caller that a call counts for.
func callerOf(r *http.Request) string {
	if key := r.Header.Get("x-api-key"); key != "" {
		return "key " + key
	}
	hop, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	if hop = strings.TrimSpace(hop); hop != "" {
		return "address " + hop
	}
	return "address " + addressOf(r)
}

// addressOf is the remote address without its port.
func addressOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// admit counts r, and answers it if it is over a limit: with the headers that Didit sends with a 429, and only with that. The
// body is not documented; this one has the shape of Didit's other errors.
func (s *Server) admit(w *recorder, r *http.Request) bool {
	refused := s.limiter.admit(callerOf(r), scopesOf(w.endpoint, r))
	if refused == nil {
		return true
	}
	free := s.opts.Now().Add(refused.delay + time.Second - 1) // rounded up
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(refused.limit))
	w.Header().Set("X-RateLimit-Remaining", "0")
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(free.Unix(), 10))
	text := fmt.Sprintf("Request was throttled. Expected available in %d seconds.", wholeSeconds(refused.delay))
	s.write(w, r, *tooMany(text, refused.delay))
	return false
}
