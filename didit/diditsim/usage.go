package diditsim

import (
	"cmp"
	"slices"
	"time"
)

// ScopeUsage is what one key did in one scope since the Server was made. A call that is in two scopes is in both rows. A
// worst number is exact, over every window there ever was, and the same whether the limit is lifted or not.
type ScopeUsage struct {
	Key   int // 1 for the key that called first, and so on; the same key has the same number in every scope
	Scope Scope
	Limit int // calls in a window; -1 if it is lifted
	// Calls were sent, Refused of them were answered 429, for this or another of their scopes, or in a storm. A Fault that
	// answers 429 refuses nothing in this sense.
	Calls, Refused int
	// Worst is the most calls sent within any one window, refused ones included: what a client has to keep within
	// Limit. WorstAccepted is the same without them, so it is never over Limit.
	Worst, WorstAccepted int
	// WorstAt is when the last call of the first such window came, by the Server's clock.
	WorstAt time.Time
}

// Usage returns a row for each key and scope that was called, ordered by both.
func (s *Server) Usage() []ScopeUsage {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	rows := make([]ScopeUsage, 0, len(s.limiter.counts))
	for _, c := range s.limiter.counts {
		rows = append(rows, c.usage)
	}
	slices.SortFunc(rows, func(a, b ScopeUsage) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(slices.Index(scopeOrder, a.Scope), slices.Index(scopeOrder, b.Scope)))
	})
	return rows
}

// CallTime is when a call arrived, by the Server's clock.
type CallTime struct {
	At   time.Time
	Code int // of the answer; 0 if the Server hung up instead, or has not answered yet
	Key  int // as in ScopeUsage
}

// CallTimes returns every call of a scope in the order of arrival, refused ones included, if Options.KeepCalls is set.
func (s *Server) CallTimes(scope Scope) []CallTime {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	calls := make([]CallTime, 0, len(s.limiter.kept[scope]))
	for _, c := range s.limiter.kept[scope] {
		calls = append(calls, *c)
	}
	return calls
}

// Throttle refuses every call of a scope, from any caller, from now on for d, whatever the window holds and even if its
// limit is lifted: 429 with that Retry-After, or with what is left of d if it is 0. A new Throttle takes the place of the
// old one of that scope; one of no length ends it.
func (s *Server) Throttle(scope Scope, d, retryAfter time.Duration) {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	now, _ := s.limiter.tick()
	s.limiter.storms[scope] = storm{now + d, retryAfter}
}
