package world

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Call is one call to Didit as it was heard on the wire.
type Call struct {
	By         string // who made it
	Read       bool
	At         time.Time // when it came
	Answered   time.Time // zero while it is not
	Code       int
	RetryAfter time.Duration
}

// ear listens at the wall of the simulator.
type ear struct {
	latency time.Duration // of every answer
	deaf    bool          // nothing is noted
	next    http.Handler

	mu    sync.Mutex
	calls []*Call
}

// of serves one caller.
func (e *ear) of(by string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.deaf || !strings.HasPrefix(r.URL.Path, "/v3/") {
			e.next.ServeHTTP(w, r)
			return
		}
		call := &Call{By: by, Read: r.Method == http.MethodGet, At: time.Now()}
		e.mu.Lock()
		e.calls = append(e.calls, call)
		e.mu.Unlock()
		e.next.ServeHTTP(&listener{ResponseWriter: w, ear: e, call: call}, r)
	})
}

// listener notes the answer, and lets it take as long as an answer from far away.
type listener struct {
	http.ResponseWriter
	ear  *ear
	call *Call
}

// WriteHeader is called once by the simulator.
func (l *listener) WriteHeader(code int) {
	time.Sleep(l.ear.latency)
	after, _ := strconv.Atoi(l.Header().Get("Retry-After"))
	l.ear.mu.Lock()
	l.call.Code, l.call.Answered, l.call.RetryAfter = code, time.Now(), time.Duration(after)*time.Second
	l.ear.mu.Unlock()
	l.ResponseWriter.WriteHeader(code)
}

// Unwrap lets the simulator hang up.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// heard returns all calls in the order in which they came.
func (e *ear) heard() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Call, 0, len(e.calls))
	for _, c := range e.calls {
		all = append(all, *c)
	}
	slices.SortStableFunc(all, func(a, b Call) int { return a.At.Compare(b.At) })
	return all
}
