package testbed

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Calls are the times at which Didit got writes that it did not refuse, in order.
type Calls []time.Time

// callLog notes the calls to the simulator.
type callLog struct {
	latency time.Duration // of every answer
	next    http.Handler

	mu            sync.Mutex
	sent, granted Calls
}

// ServeHTTP lets an answer take as long as one from far away.
func (e *callLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.latency == 0 || !strings.HasPrefix(r.URL.Path, "/v3/") {
		e.next.ServeHTTP(w, r)
		return
	}
	e.next.ServeHTTP(&recorder{ResponseWriter: w, callLog: e, came: time.Now(), write: r.Method != http.MethodGet}, r)
}

// recorder notes an answer.
type recorder struct {
	http.ResponseWriter
	callLog *callLog
	came    time.Time
	write   bool
}

// WriteHeader is called once by the simulator.
func (l *recorder) WriteHeader(code int) {
	if l.write {
		l.callLog.note(l.came, code/100 == 2)
	}
	time.Sleep(l.callLog.latency)
	l.ResponseWriter.WriteHeader(code)
}

// Unwrap lets the simulator hang up.
func (l *recorder) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (e *callLog) note(at time.Time, granted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, at)
	if granted {
		e.granted = append(e.granted, at)
	}
}

// sorted are the times of all writes, or of those that were granted.
func (e *callLog) sorted(granted bool) Calls {
	e.mu.Lock()
	defer e.mu.Unlock()
	if granted {
		return slices.SortedFunc(slices.Values(e.granted), time.Time.Compare)
	}
	return slices.SortedFunc(slices.Values(e.sent), time.Time.Compare)
}

// Sliding is the number of calls in the last window, every step from begin until it has fallen to nothing.
func (c Calls) Sliding(begin time.Time, window, step time.Duration) []float64 {
	var y []float64
	first, next := 0, 0
	for t := begin; len(c) > 0 && !t.After(c[len(c)-1].Add(window+step)); t = t.Add(step) {
		for next < len(c) && !c[next].After(t) {
			next++
		}
		for first < next && t.Sub(c[first]) >= window {
			first++
		}
		y = append(y, float64(next-first))
	}
	return y
}

// Rate is the rate per second between the calls at two fractions of all of them, such as 0.05 and 0.95: how it begins and
// ends is left out.
func (c Calls) Rate(from, to float64) float64 {
	if len(c) < 2 {
		return 0
	}
	a, b := int(from*float64(len(c)-1)), int(to*float64(len(c)-1))
	took := c[b].Sub(c[a]).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(b-a) / took
}
