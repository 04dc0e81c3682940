package diditsim

import (
	"sync"
	"time"
)

// limiter counts calls in sliding windows.
type limiter struct {
	limits Limits
	now    func() time.Time // right, however wrong Didit's clock is

	mu     sync.Mutex
	keys   map[string]int
	counts map[countID]*count
}

// countID is a key's number and a scope.
type countID struct {
	key   int
	scope Scope
}

// count is what one key did in one scope.
type count struct {
	usage          ScopeUsage
	sent, accepted window
}

func newLimiter(l Limits, now func() time.Time) *limiter {
	return &limiter{limits: l, now: now, keys: map[string]int{}, counts: map[countID]*count{}}
}

// refusal is why a call is over a limit.
type refusal struct {
	limit int
	delay time.Duration
}

// admit counts a call in all its scopes. It returns why the call is refused, nil if it is not.
func (l *limiter) admit(caller string, scopes []Scope) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(scopes) == 0 {
		return nil
	}
	now := l.now()
	if l.keys[caller] == 0 {
		l.keys[caller] = len(l.keys) + 1
	}
	var refused *refusal
	var counts []*count
	for _, scope := range scopes {
		c := l.count(l.keys[caller], scope)
		c.sent = c.sent.after(now.Add(-l.limits.window()))
		c.accepted = c.accepted.after(now.Add(-l.limits.window()))
		counts = append(counts, c)
		if r := l.refusal(c, now); r != nil && (refused == nil || r.delay > refused.delay) {
			refused = r
		}
	}
	for _, c := range counts {
		c.add(now, refused == nil)
	}
	return refused
}

func (l *limiter) count(key int, scope Scope) *count {
	id := countID{key, scope}
	if l.counts[id] == nil {
		l.counts[id] = &count{usage: ScopeUsage{Key: key, Scope: scope, Limit: l.limits.of(scope)}}
	}
	return l.counts[id]
}

// refusal is the answer of c to one more call, nil if it may be made.
func (l *limiter) refusal(c *count, now time.Time) *refusal {
	limit := c.usage.Limit
	if limit < 0 || len(c.accepted) < limit {
		return nil
	}
	return &refusal{limit, c.accepted[0].Add(l.limits.window()).Sub(now)}
}

// add counts a call. A window with the most calls ends with a call, so it is enough to check the windows that do.
func (c *count) add(now time.Time, accepted bool) {
	c.usage.Calls++
	c.sent = append(c.sent, now)
	if n := len(c.sent); n > c.usage.Worst {
		c.usage.Worst, c.usage.WorstAt = n, now
	}
	if !accepted {
		c.usage.Refused++
		return
	}
	c.accepted = append(c.accepted, now)
	c.usage.WorstAccepted = max(c.usage.WorstAccepted, len(c.accepted))
}

// window holds the times of calls, the oldest first.
type window []time.Time

// after drops what is not later than t. Appending copies what is left when the array is full, so a call costs the same
// however many there are.
func (w window) after(t time.Time) window {
	for len(w) > 0 && !w[0].After(t) {
		w = w[1:]
	}
	return w
}

// ScopeUsage is what one key did in one scope since the Server was created. A call that is in two scopes is in both rows.
// The worst numbers are exact, over every window there was, and the same whether the limit is lifted or not.
type ScopeUsage struct {
	Key   int // 1 for the key that called first, and so on; the same key has the same number in every scope
	Scope Scope
	Limit int // calls in a window; -1 if it is lifted
	// Calls were sent. Refused of them were answered 429 for this or another of their scopes. A Fault that answers 429 does
	// not count as refused.
	Calls, Refused int
	// Worst is the most calls sent within any one window, refused ones included: the number that a client must keep within
	// Limit. WorstAccepted is the same without them, so it is never over Limit.
	Worst, WorstAccepted int
	// WorstAt is the time of the last call of the first such window, by Options.Now.
	WorstAt time.Time
}

// Usage returns a row for each key and scope that was called, ordered by both.
func (s *Server) Usage() []ScopeUsage {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	var rows []ScopeUsage
	for i := range len(s.limiter.keys) {
		for _, scope := range []Scope{ScopeRead, ScopeWrite, ScopeCreate} {
			if c := s.limiter.counts[countID{i + 1, scope}]; c != nil {
				rows = append(rows, c.usage)
			}
		}
	}
	return rows
}
