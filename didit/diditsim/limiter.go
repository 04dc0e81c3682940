package diditsim

import (
	"cmp"
	"sync"
	"time"
)

// limiter counts calls in sliding windows. Times are how long after the first call something was.
type limiter struct {
	limits Limits
	now    func() time.Time
	keep   bool

	mu     sync.Mutex
	begun  time.Time
	last   time.Duration
	slip   time.Duration // what the clock was set back by, in all
	keys   map[string]int
	counts map[countID]*count
	storms map[Scope]storm
	kept   map[Scope][]*CallTime
}

type countID struct {
	key   int // the ordinal
	scope Scope
}

// count is what one key did in one scope.
type count struct {
	usage          ScopeUsage
	sent, accepted window
}

type storm struct {
	until, retryAfter time.Duration
}

func newLimiter(o Options) *limiter {
	return &limiter{
		limits: o.Limits, now: o.Now, keep: o.KeepCalls, keys: map[string]int{}, counts: map[countID]*count{},
		storms: map[Scope]storm{}, kept: map[Scope][]*CallTime{},
	}
}

// admit counts a call in all its scopes. It returns why the call is refused, or nil; and, if calls are kept, what wants
// to know the code of the answer.
func (l *limiter) admit(caller string, scopes []Scope) (answered func(code int), no *refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, at := l.tick()
	key, ok := l.keys[caller]
	if !ok {
		key = len(l.keys) + 1
		l.keys[caller] = key
	}
	var counts []*count
	for _, scope := range scopes {
		c := l.count(key, scope)
		c.sent.forget(now - l.limits.window())
		c.accepted.forget(now - l.limits.window())
		counts = append(counts, c)
		if r := l.refusal(c, now, at); r != nil && (no == nil || r.wait > no.wait) {
			no = r
		}
	}
	for _, c := range counts {
		c.add(now, at, no == nil)
	}
	return l.note(scopes, CallTime{At: at, Key: key}), no
}

// tick returns the time since the first call, and what Didit's clock shows. To set that clock back takes no time, and
// nothing is undone by it; to set it forward is to wait.
func (l *limiter) tick() (now time.Duration, at time.Time) {
	at = l.now()
	if l.begun.IsZero() {
		l.begun = at
	}
	now = at.Sub(l.begun) + l.slip
	if now < l.last {
		l.slip += l.last - now
		now = l.last
	}
	l.last = now
	return now, at
}

func (l *limiter) count(key int, scope Scope) *count {
	id := countID{key, scope}
	c, ok := l.counts[id]
	if !ok {
		c = &count{usage: ScopeUsage{Key: key, Scope: scope, Limit: l.limits.of(scope)}}
		l.counts[id] = c
	}
	return c
}

// refusal is what c says to one more call, nil if it may be made.
func (l *limiter) refusal(c *count, now time.Duration, at time.Time) *refusal {
	limit := c.usage.Limit
	if s, ok := l.storms[c.usage.Scope]; ok && now < s.until {
		if limit < 0 {
			limit = documented[c.usage.Scope]
		}
		return &refusal{limit, cmp.Or(max(s.retryAfter, 0), s.until-now), at}
	}
	if limit < 0 || c.accepted.len() < limit {
		return nil
	}
	return &refusal{limit, c.accepted.oldest() + l.limits.window() - now, at}
}

// note keeps a call, if that was asked for.
func (l *limiter) note(scopes []Scope, call CallTime) func(code int) {
	if !l.keep {
		return nil
	}
	for _, scope := range scopes {
		l.kept[scope] = append(l.kept[scope], &call)
	}
	return func(code int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		call.Code = code
	}
}

// add counts a call. A worst window always ends with a call, so to look at each of those is to look at all.
func (c *count) add(now time.Duration, at time.Time, accepted bool) {
	c.usage.Calls++
	c.sent.add(now)
	if n := c.sent.len(); n > c.usage.Worst {
		c.usage.Worst, c.usage.WorstAt = n, at
	}
	if !accepted {
		c.usage.Refused++
		return
	}
	c.accepted.add(now)
	c.usage.WorstAccepted = max(c.usage.WorstAccepted, c.accepted.len())
}

// window holds the times of calls, the oldest first.
type window struct {
	times []time.Duration
	first int // what comes before is forgotten
}

func (w *window) len() int              { return len(w.times) - w.first }
func (w *window) oldest() time.Duration { return w.times[w.first] }
func (w *window) add(t time.Duration)   { w.times = append(w.times, t) }

// forget drops what is not later than t. It moves the rest only when it has dropped as many, so a call costs the same
// however many there are.
func (w *window) forget(t time.Duration) {
	for w.first < len(w.times) && w.times[w.first] <= t {
		w.first++
	}
	if w.first > len(w.times)/2 {
		w.times = append(w.times[:0], w.times[w.first:]...)
		w.first = 0
	}
}
