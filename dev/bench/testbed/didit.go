package testbed

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"didit-temporal/didit/diditsim"
)

// Simulator is a simulated Didit that notes the writes that reach it.
type Simulator struct {
	*diditsim.Server
	URL string

	web     *httptest.Server
	latency time.Duration // of every answer; 0: at once, and nothing is noted

	mu            sync.Mutex
	sent, granted Calls
}

// NewSimulator starts one with the key Key, the flow Flow and these limits.
func NewSimulator(pace Pace, latency time.Duration, o diditsim.Options) *Simulator {
	o.APIKey, o.WorkflowIDs, o.Limits = Key, []string{Flow}, pace.limits()
	s := &Simulator{Server: diditsim.New(o), latency: latency}
	s.web = httptest.NewServer(s)
	s.URL = s.web.URL
	return s
}

// Close stops it.
func (s *Simulator) Close() {
	s.Server.Close()
	s.web.Close()
}

// ServeHTTP lets an answer take as long as one from far away.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.latency > 0 && strings.HasPrefix(r.URL.Path, "/v3/") {
		w = &recorder{ResponseWriter: w, sim: s, came: time.Now(), write: r.Method != http.MethodGet}
	}
	s.Server.ServeHTTP(w, r)
}

// recorder notes an answer.
type recorder struct {
	http.ResponseWriter
	sim   *Simulator
	came  time.Time
	write bool
}

// WriteHeader is called once by the simulator.
func (r *recorder) WriteHeader(code int) {
	if r.write {
		r.sim.note(r.came, code/100 == 2)
	}
	time.Sleep(r.sim.latency)
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets the simulator hang up.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Simulator) note(at time.Time, granted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, at)
	if granted {
		s.granted = append(s.granted, at)
	}
}

// Sent are the writes that it has got so far.
func (s *Simulator) Sent() Calls { return s.sorted(&s.sent) }

// Granted are those of them that it has granted.
func (s *Simulator) Granted() Calls { return s.sorted(&s.granted) }

func (s *Simulator) sorted(calls *Calls) Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(slices.Values(*calls), time.Time.Compare)
}

// Counted is what Didit itself has counted in a scope.
func (s *Simulator) Counted(scope diditsim.Scope) diditsim.ScopeUsage {
	for _, u := range s.Usage() {
		if u.Scope == scope {
			return u
		}
	}
	return diditsim.ScopeUsage{Scope: scope}
}
