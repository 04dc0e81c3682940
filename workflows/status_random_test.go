package workflows

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "random tests: only this seed")
	moreSeeds = flag.Uint64("seeds", 0, "random tests: this many seeds")
)

// Seeds are those of a random test: each makes the same life every time. It is exported for the package's tests from
// outside, like what follows.
func Seeds(number uint64) (first, last uint64) {
	if *oneSeed != 0 {
		return *oneSeed, *oneSeed
	}
	if *moreSeeds != 0 {
		number = *moreSeeds
	}
	return 1, number
}

// Moves lists what can become of a session at Didit (docs.didit.me/core-technology/verification-statuses).
var Moves = map[didit.Status][]didit.Status{
	didit.StatusNotStarted:   {didit.StatusInProgress, didit.StatusExpired},
	didit.StatusInProgress:   {didit.StatusApproved, didit.StatusInReview, didit.StatusDeclined, didit.StatusAbandoned, didit.StatusAwaitingUser},
	didit.StatusAwaitingUser: {didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved},
	didit.StatusInReview:     {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusResubmitted:  {didit.StatusInProgress, didit.StatusAbandoned},
	didit.StatusApproved:     {didit.StatusInReview, didit.StatusDeclined, didit.StatusKycExpired, didit.StatusResubmitted},
	didit.StatusDeclined:     {didit.StatusInReview, didit.StatusApproved, didit.StatusResubmitted},
	didit.StatusAbandoned:    {didit.StatusApproved, didit.StatusInReview, didit.StatusDeclined},
	didit.StatusKycExpired:   {didit.StatusInReview},
}

// path is what becomes of a session, and what arrives of it.
type path struct {
	rng      *rand.Rand
	statuses []didit.Status
	at       []int64 // when each move was made, in seconds after noon
	now      int     // the move that the session has made last
	coming   []arrival
	heard    map[int]bool
	state    sessionState
	shown    didit.Status // what the state may show: the newest decision, or before it the session's first steps
	reads    int
}

// arrival is an event that arrives after a move.
type arrival struct {
	ev   kyc.DiditEvent
	move int
}

func newPath(seed uint64) *path {
	p := &path{rng: rand.New(rand.NewPCG(seed, 2026)), heard: map[int]bool{}, state: begun(), statuses: []didit.Status{didit.StatusNotStarted}}
	lost := []float64{0, 0.3, 0.9}[p.rng.IntN(3)]
	for i := range 1 + p.rng.IntN(8) {
		next := Moves[p.statuses[i]]
		if len(next) == 0 {
			break
		}
		p.statuses = append(p.statuses, next[p.rng.IntN(len(next))])
	}
	at := int64(1)
	for i, s := range p.statuses {
		at += int64(max(0, p.rng.IntN(4)-1)) // often the same second
		p.at = append(p.at, at)
		if i == 0 || p.chance(lost) {
			continue
		}
		a := arrival{event(fmt.Sprint("move ", i), at, s), i}
		if p.chance(0.05) { // a clock that is wrong
			a.ev.CreatedAt = []int64{0, noon.UnixMilli(), 1 << 53}[p.rng.IntN(3)]
		}
		p.coming = append(p.coming, a)
		for p.chance(0.3) {
			p.coming = append(p.coming, a)
		}
	}
	return p
}

func (p *path) chance(x float64) bool { return p.rng.Float64() < x }

func (p *path) truth() didit.Status { return p.statuses[p.now] }

func (p *path) goOn() { p.now = min(p.now+1, len(p.statuses)-1) }

// deliver applies one of the events that Didit can have sent.
func (p *path) deliver() {
	for _, i := range p.rng.Perm(len(p.coming)) {
		a := p.coming[i]
		if a.move > p.now {
			continue
		}
		p.coming = slices.Delete(p.coming, i, i+1)
		before := p.state
		p.state.apply(a.ev, noon)
		if p.heard[a.move] && (before.needsRead != p.state.needsRead || before.newest != p.state.newest || before.Status != p.state.Status) {
			panic("a repeat changed the state")
		}
		p.heard[a.move] = true
		return
	}
}

// read reads Didit's decision. The session may move before the request reaches Didit, and while the answer is on its way.
func (p *path) read() {
	for p.chance(0.3) {
		p.goOn()
	}
	p.shown = p.truth()
	for p.chance(0.2) {
		p.goOn()
	}
	p.reads++
	p.state.applyDecision(activities.Decision{Status: p.shown}, noon)
}

// step is one of the things that can happen next.
func (p *path) step() {
	switch {
	case p.state.needsRead && p.chance(0.5), p.chance(0.05):
		p.read()
	case p.chance(0.4):
		p.goOn()
	default:
		p.deliver()
	}
}

// sane holds after every step.
func (p *path) sane() error {
	s, past := p.state, p.statuses[:p.now+1]
	resubmitted := len(slices.DeleteFunc(slices.Clone(past), func(s didit.Status) bool { return s != didit.StatusResubmitted }))
	switch {
	case p.reads > 0 && s.Status != p.shown:
		return fmt.Errorf("shows %q although Didit's decision was %q", s.Status, p.shown)
	case p.reads == 0 && (s.Status != didit.StatusNotStarted && s.Status != didit.StatusInProgress || !slices.Contains(past, s.Status)):
		return fmt.Errorf("shows %q, which no decision has confirmed", s.Status)
	case s.Outcome != outcomeOf(p.shown):
		return fmt.Errorf("says %q although Didit's decision was %q", s.Outcome, p.shown)
	case s.Attempt < 1 || s.Attempt > 1+resubmitted:
		return fmt.Errorf("counts %d attempts after %d resubmissions", s.Attempt, resubmitted)
	case p.heard[p.now] && !s.needsRead && s.Status != p.truth() && s.newest <= noon.Unix()+p.at[p.now]:
		return fmt.Errorf("shows %q and reads nothing, though an event reported %q", s.Status, p.truth())
	case !s.lag.next.IsZero() && s.lag.next.Sub(noon) > 40*time.Second:
		return fmt.Errorf("reads a decision that lags only after %s", s.lag.next.Sub(noon))
	}
	return nil
}

// In whatever order events come, repeated, lost, late, in the same second as others, with wrong clocks: no status and no
// outcome is shown but that of Didit's last decision, and to have heard of a session's newest move is enough to ask.
func TestTheStateFollowsDiditInAnyOrderOfEvents(t *testing.T) {
	first, last := Seeds(50_000)
	for seed := first; seed <= last; seed++ {
		p := newPath(seed)
		for range 1000 {
			if !p.state.needsRead && p.now == len(p.statuses)-1 && len(p.coming) == 0 {
				break
			}
			p.step()
			require.NoError(t, p.sane(), "go test ./workflows -run %s -seed %d; path %q", t.Name(), seed, p.statuses)
		}
		require.Empty(t, p.coming)
		p.read()
		require.NoError(t, p.sane())
		require.Equal(t, p.truth(), p.state.Status)
	}
}
