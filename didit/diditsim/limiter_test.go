package diditsim_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit/diditsim"
)

// sent is a call as the reference below remembers it.
type sent struct {
	at       time.Time
	accepted bool
}

type row struct {
	key   int
	scope diditsim.Scope
}

// reference does the same as the simulator, the long way round.
type reference struct {
	limits map[diditsim.Scope]int
	window time.Duration
	calls  map[row][]sent
}

// within counts the calls of a window that ends at now.
func (r reference) within(k row, now time.Time, refusedToo bool) int {
	n := 0
	for _, c := range r.calls[k] {
		if !c.at.After(now) && now.Sub(c.at) < r.window && (c.accepted || refusedToo) {
			n++
		}
	}
	return n
}

func (r reference) call(key int, scopes []diditsim.Scope, now time.Time) bool {
	accepted := true
	for _, s := range scopes {
		if limit := r.limits[s]; limit >= 0 && r.within(row{key, s}, now, false) >= limit {
			accepted = false
		}
	}
	for _, s := range scopes {
		r.calls[row{key, s}] = append(r.calls[row{key, s}], sent{now, accepted})
	}
	return accepted
}

func (r reference) usage(k row) diditsim.ScopeUsage {
	u := diditsim.ScopeUsage{Key: k.key, Scope: k.scope, Limit: r.limits[k.scope], Calls: len(r.calls[k])}
	for i, c := range r.calls[k] {
		if !c.accepted {
			u.Refused++
		}
		so := reference{window: r.window, calls: map[row][]sent{k: r.calls[k][:i+1]}}
		if n := so.within(k, c.at, true); n > u.Worst {
			u.Worst, u.WorstAt = n, c.at
		}
		u.WorstAccepted = max(u.WorstAccepted, so.within(k, c.at, false))
	}
	return u
}

func TestUsageAgreesWithCountingEveryWindow(t *testing.T) {
	scopes := map[string][]diditsim.Scope{
		aRead: {diditsim.ScopeRead}, aWrite: {diditsim.ScopeWrite}, aCreate: {diditsim.ScopeWrite, diditsim.ScopeCreate},
	}
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		limits := diditsim.Limits{Reads: 1 + rnd.IntN(9), Writes: 1 + rnd.IntN(9), Creates: 1 + rnd.IntN(9), Window: 10 * time.Second}
		if seed%5 == 0 {
			limits.Reads, limits.Writes = -1, -1
		}
		ref := reference{
			map[diditsim.Scope]int{diditsim.ScopeRead: limits.Reads, diditsim.ScopeWrite: limits.Writes, diditsim.ScopeCreate: limits.Creates},
			limits.Window, map[row][]sent{},
		}
		l := limitedTo(t, diditsim.Options{Limits: limits})
		keys := map[int]int{} // by the order of the first call
		for range 300 {
			// Whole and half seconds, so that calls are exactly a window apart; none, so that some come at once.
			l.now = l.now.Add(time.Duration(max(rnd.IntN(8)-4, 0)) * 500 * time.Millisecond)
			who, call := rnd.IntN(2), []string{aRead, aWrite, aCreate}[rnd.IntN(3)]
			if keys[who] == 0 {
				keys[who] = len(keys) + 1
			}
			code := l.send(t, call, "x-api-key", strconv.Itoa(who)).Code
			require.Equal(t, ref.call(keys[who], scopes[call], l.now), code != http.StatusTooManyRequests, "seed %d", seed)
		}
		usage := l.Usage()
		require.Len(t, usage, len(ref.calls))
		for _, u := range usage {
			require.Equal(t, ref.usage(row{u.Key, u.Scope}), u, "seed %d", seed)
		}
	}
}

func TestUsageNamesNoKeyAndKeepsAnOrder(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Unlimited})
	assert.Empty(t, l.Usage())
	for _, key := range []string{"z", "a"} {
		l.send(t, aCreate, "x-api-key", key)
		l.send(t, aRead, "x-api-key", key)
	}
	var rows []row
	for _, u := range l.Usage() {
		rows = append(rows, row{u.Key, u.Scope})
		assert.Equal(t, -1, u.Limit)
	}
	assert.Equal(t, []row{
		{1, diditsim.ScopeRead}, {1, diditsim.ScopeWrite}, {1, diditsim.ScopeCreate},
		{2, diditsim.ScopeRead}, {2, diditsim.ScopeWrite}, {2, diditsim.ScopeCreate},
	}, rows)
}

func TestTheLongestDelayIsTheAnswer(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Writes: 2, Creates: 1}})
	l.send(t, aWrite)
	l.now = l.now.Add(20 * time.Second)
	l.send(t, aCreate)
	w := l.send(t, aCreate)
	assert.Equal(t, []string{"60", "1"}, []string{w.Header().Get("Retry-After"), w.Header().Get("X-RateLimit-Limit")}, "for creates, not the 40 for writes")
}

func TestAWrongClockLetsNoTimePass(t *testing.T) {
	l := limitedTo(t, diditsim.Options{Limits: diditsim.Limits{Reads: 1}})
	l.send(t, aRead)
	for _, wrong := range []time.Duration{time.Hour, -time.Hour, 0} {
		l.SetClockOffset(wrong)
		assert.Equal(t, 1, l.refused(t, 1, aRead), wrong)
	}
	l.SetClockOffset(-time.Hour)
	l.now = l.now.Add(time.Minute)
	assert.Zero(t, l.refused(t, 1, aRead))
}
