package testbed

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Call is one call to Didit as it was on the wire.
type Call struct {
	By         string // who made it
	Read       bool
	At         time.Time // when it came
	Answered   time.Time // zero while it is not
	Code       int
	RetryAfter time.Duration
}

// callLog notes the calls to the simulator.
type callLog struct {
	latency time.Duration // of every answer
	off     bool          // nothing is noted
	next    http.Handler

	mu    sync.Mutex
	calls []*Call
}

// from serves one caller.
func (e *callLog) from(by string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.off || !strings.HasPrefix(r.URL.Path, "/v3/") {
			e.next.ServeHTTP(w, r)
			return
		}
		call := &Call{By: by, Read: r.Method == http.MethodGet, At: time.Now()}
		e.mu.Lock()
		e.calls = append(e.calls, call)
		e.mu.Unlock()
		e.next.ServeHTTP(&recorder{ResponseWriter: w, callLog: e, call: call}, r)
	})
}

// recorder notes the answer, and lets it take as long as an answer from far away.
type recorder struct {
	http.ResponseWriter
	callLog *callLog
	call    *Call
}

// WriteHeader is called once by the simulator.
func (l *recorder) WriteHeader(code int) {
	time.Sleep(l.callLog.latency)
	after, _ := strconv.Atoi(l.Header().Get("Retry-After"))
	l.callLog.mu.Lock()
	l.call.Code, l.call.Answered, l.call.RetryAfter = code, time.Now(), time.Duration(after)*time.Second
	l.callLog.mu.Unlock()
	l.ResponseWriter.WriteHeader(code)
}

// Unwrap lets the simulator hang up.
func (l *recorder) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// all returns all calls in the order in which they came.
func (e *callLog) all() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Call, 0, len(e.calls))
	for _, c := range e.calls {
		all = append(all, *c)
	}
	slices.SortStableFunc(all, func(a, b Call) int { return a.At.Compare(b.At) })
	return all
}
