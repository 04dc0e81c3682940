package workflows

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "random tests: only this seed")
	moreSeeds = flag.Uint64("seeds", 0, "random tests: so many seeds")
)

// Seeds are those of a random test. Each one makes the same run every time. This and what follows is exported for the
// tests of the package from outside.
func Seeds(number uint64) (first, last uint64) {
	if *oneSeed != 0 {
		return *oneSeed, *oneSeed
	}
	if *moreSeeds != 0 {
		number = *moreSeeds
	}
	return 1, number
}

// Random is the randomness of a seed.
func Random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2026)) }

// Moves are the ways of a session at Didit, as documented.
var Moves = map[didit.Status][]didit.Status{
	didit.StatusNotStarted: {didit.StatusInProgress, didit.StatusExpired},
	didit.StatusInProgress: {
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAbandoned, didit.StatusAwaitingUser,
	},
	didit.StatusAwaitingUser: {didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview},
	didit.StatusInReview:     {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusApproved:     {didit.StatusKycExpired, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusDeclined:     {didit.StatusApproved, didit.StatusResubmitted},
	didit.StatusResubmitted: {
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAwaitingUser,
	},
	didit.StatusAbandoned:  {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusKycExpired: {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
}

// RandomPath is a session's life: it begins Not Started and makes up to eight moves.
func RandomPath(rng *rand.Rand) []didit.Status {
	path := []didit.Status{didit.StatusNotStarted}
	for range 1 + rng.IntN(8) {
		next := Moves[path[len(path)-1]]
		if len(next) == 0 {
			break
		}
		path = append(path, next[rng.IntN(len(next))])
	}
	return path
}

// Resubmissions counts how often a user was asked to come back.
func Resubmissions(path []didit.Status) (n int) {
	for _, s := range path {
		if s == didit.StatusResubmitted {
			n++
		}
	}
	return n
}

// delivery is an event that Didit can send as soon as the session has made its move.
type delivery struct {
	ev   kyc.DiditEvent
	move int
}

// life is a session at Didit, what arrives of its events, and our record of it.
type life struct {
	rng      *rand.Rand
	path     []didit.Status
	at       []int64    // when each move was made
	now      int        // the move that the session has made last
	coming   []delivery // not yet delivered
	heard    map[int]bool
	record   record
	lastRead didit.Status
	wrong    error
	closes   bool // the verification ends with its session; otherwise its record is taken further
}

func newLife(seed uint64) *life {
	l := &life{rng: Random(seed), heard: map[int]bool{}, record: begun(), lastRead: didit.StatusNotStarted}
	l.path = RandomPath(l.rng)
	l.closes = l.chance(0.5)
	dropped := []float64{0, 0.3, 0.9}[l.rng.IntN(3)]
	at := int64(1)
	for i, s := range l.path {
		at += int64(max(0, l.rng.IntN(4)-1)) // often the same second
		l.at = append(l.at, at)
		d := delivery{event(fmt.Sprint("move ", i), at, s), i}
		if l.chance(0.02) {
			d.ev.CreatedAt = 0
		}
		if l.chance(dropped) {
			continue
		}
		l.coming = append(l.coming, d)
		for l.chance(0.3) {
			l.coming = append(l.coming, d)
		}
	}
	for i := range l.rng.IntN(4) {
		l.coming = append(l.coming, l.noise(i, at))
	}
	if l.chance(0.3) { // all is over before the first event comes
		l.now = len(l.path) - 1
	}
	return l
}

// noise is an event that must change nothing, as new as any.
func (l *life) noise(i int, latest int64) delivery {
	status := didit.Statuses()[l.rng.IntN(10)]
	ev := event(fmt.Sprint("noise ", i), latest+l.rng.Int64N(3), status)
	switch l.rng.IntN(4) {
	case 0:
		ev.SessionID = "another session"
	case 1:
		ev.Type = "data.updated"
	case 2:
		ev.Status = "Teleported"
	case 3:
		ev.Status = "approved" // the case matters
	}
	return delivery{ev, -1}
}

func (l *life) chance(p float64) bool { return l.rng.Float64() < p }

func (l *life) truth() didit.Status { return l.path[l.now] }

func (l *life) goOn() {
	if l.now < len(l.path)-1 {
		l.now++
	}
}

// deliver applies any one of the events that Didit can have sent.
func (l *life) deliver() bool {
	var possible []int
	for i, d := range l.coming {
		if d.move <= l.now {
			possible = append(possible, i)
		}
	}
	if len(possible) == 0 {
		return false
	}
	i := possible[l.rng.IntN(len(possible))]
	d := l.coming[i]
	l.coming = slices.Delete(l.coming, i, i+1)
	before := l.record
	l.record.apply(d.ev, noon)
	inert := d.move < 0 || l.heard[d.move]
	if inert && (before.doubt != l.record.doubt || before.newest != l.record.newest || before.state.Status != l.record.state.Status) {
		l.wrong = fmt.Errorf("a repeat or a stranger changed the record: %+v", d.ev)
	}
	if d.move >= 0 {
		l.heard[d.move] = true
	}
	return true
}

// read reads Didit's decision. The session may move before the request reaches Didit, and while the answer is on its way.
func (l *life) read() {
	for l.chance(0.3) {
		l.goOn()
	}
	l.lastRead = l.truth()
	for l.chance(0.2) {
		l.goOn()
	}
	l.record.settle(activities.Decision{Status: l.lastRead}, noon)
}

// step does one of the things that can happen next, and reports whether the verification goes on.
func (l *life) step() bool {
	switch {
	case l.record.doubt && l.chance(0.5):
		l.read()
	case l.chance(0.05):
		l.read() // a timer
	case l.chance(0.4):
		l.goOn()
	default:
		l.deliver()
	}
	if !l.closes || !l.record.ended() {
		return true
	}
	for l.chance(0.5) && l.deliver() { // what has arrived is taken in before the end
	}
	return l.record.doubt
}

// newest are the statuses that may be shown after the newest move was heard of: that move's, or before Didit's decision
// was first read that of another move that was heard of and made in the same second.
func (l *life) newest() []didit.Status {
	statuses := []didit.Status{l.truth()}
	for i := range l.now {
		if !l.record.read && l.heard[i] && l.at[i] == l.at[l.now] {
			statuses = append(statuses, l.path[i])
		}
	}
	return statuses
}

// sane holds at every moment.
func (l *life) sane() error {
	s, past := l.record.state, l.path[:l.now+1]
	switch {
	case l.wrong != nil:
		return l.wrong
	case !slices.Contains(past, s.Status):
		return fmt.Errorf("shows %q, which the session never was", s.Status)
	case s.Outcome != outcomeOf(l.lastRead):
		return fmt.Errorf("says %q although Didit's decision was %q", s.Outcome, l.lastRead)
	case s.Attempt < 1 || s.Attempt > 1+Resubmissions(past):
		return fmt.Errorf("counts %d attempts after %d resubmissions", s.Attempt, Resubmissions(past))
	case l.heard[l.now] && !l.record.doubt && !slices.Contains(l.newest(), s.Status):
		return fmt.Errorf("shows %q and has no doubt, though it has heard of the move to %q", s.Status, l.truth())
	}
	return nil
}

// In whatever order events come, repeated, lost, late, in the same second as others, among events of other sessions: no
// outcome is ever told but that of Didit's last decision, and to have heard of a session's newest move is enough to end
// up with its status (with one exception, see newest). If that was lost, a look finds it.
func TestTheRecordFollowsDiditInAnyOrderOfEvents(t *testing.T) {
	first, last := Seeds(50_000)
	for seed := first; seed <= last; seed++ {
		l := newLife(seed)
		fails := func(err error) {
			require.NoError(t, err, "go test ./workflows -run %s -seed %d; path %q", t.Name(), seed, l.path)
		}
		for goesOn := true; goesOn && (l.record.doubt || l.now < len(l.path)-1 || len(l.coming) > 0); {
			goesOn = l.step()
			fails(l.sane())
		}
		if l.closes && l.record.ended() {
			continue
		}
		l.lastRead = l.truth()
		l.record.settle(activities.Decision{Status: l.lastRead}, noon)
		fails(l.sane())
		require.Equal(t, l.truth(), l.record.state.Status)
		require.False(t, l.record.doubt)
	}
}
