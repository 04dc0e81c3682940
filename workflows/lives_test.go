package workflows_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

const (
	firstLook   = 15 * time.Minute // the default of RECONCILE_AFTER
	longestLook = 24 * time.Hour
)

var beginning = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// life is a session at Didit that makes its moves at given times, and a verification that looks at it as a worker's
// default settings say.
type life struct {
	*world
	made    activities.MadeSession
	reading func() time.Duration // how long a read takes; what it answers is seen at its beginning

	mu    sync.Mutex // a read is another goroutine than the moves
	path  []didit.Status
	moved []time.Time // when the path's moves were made
	saw   didit.Status
	looks []time.Time
	heard map[int]time.Time // by move
}

// newLife lengthens the intervals between looks at Didit by spread, as a worker does.
func newLife(t *testing.T, spread float64) *life {
	t.Helper()
	l := &life{world: newWorld(t), reading: func() time.Duration { return 0 }, heard: map[int]time.Time{}}
	l.SetStartTime(beginning)
	l.path, l.moved = []didit.Status{didit.StatusNotStarted}, []time.Time{beginning}
	l.made = made
	l.made.Terms.ReconcileSeconds = int64(firstLook.Seconds() * spread)
	l.made.Terms.ReconcileMaxSeconds = int64(longestLook.Seconds() * spread)
	l.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
		Return(func(context.Context, activities.CreateSessionInput) (activities.MadeSession, error) {
			return l.made, nil
		})
	l.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).AfterFn(func() time.Duration {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.saw = l.path[len(l.path)-1]
		l.looks = append(l.looks, l.Now())
		return l.reading()
	}).Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return activities.Decision{Status: l.saw}, nil
	})
	return l
}

// moves makes the session's next move.
func (l *life) moves(after time.Duration, to didit.Status) {
	l.RegisterDelayedCallback(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.path, l.moved = append(l.path, to), append(l.moved, l.Now())
	}, after)
}

// hears delivers the event of a move that was made at another time.
func (l *life) hears(after time.Duration, move int, made time.Duration, s didit.Status) {
	l.RegisterDelayedCallback(func() {
		l.heard[move] = l.Now()
		ev := ev(beginning.Add(made).Unix(), s)
		ev.EventID = fmt.Sprint("move ", move)
		l.SignalWorkflow(kyc.SignalDiditEvent, ev)
	}, after)
}

// moment is one of a few lengths of time, from nothing to days, not on the dot.
func moment(pick func(int) int, among ...time.Duration) time.Duration {
	return among[pick(len(among))] + time.Duration(pick(700))*time.Millisecond
}

// Random lives of sessions whose events are lost, late, repeated and in any order, while reads take their time, all end
// with what Didit says.
func TestEveryVerificationEndsWithTheTruth(t *testing.T) {
	first, last := workflows.Seeds(300)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			l := randomLife(t, seed)
			defer func() {
				if t.Failed() {
					t.Logf("go test ./workflows -run TestEveryVerificationEndsWithTheTruth -seed %d; path %q", seed, l.path)
				}
			}()
			requireTruth(t, l, l.run())
		})
	}
}

func randomLife(t *testing.T, seed uint64) *life {
	t.Helper()
	rng := workflows.Random(seed)
	l := newLife(t, 1.05+0.2*rng.Float64())
	reads := workflows.Random(seed + 1<<32) // reads are another goroutine
	l.reading = func() time.Duration { return moment(reads.IntN, 0, 0, time.Second, 15*time.Second) }
	path := workflows.RandomPath(rng)
	if path[len(path)-1] == didit.StatusInReview { // no verification outlives its review
		path = append(path, []didit.Status{didit.StatusApproved, didit.StatusDeclined}[rng.IntN(2)])
	}
	dropped := []float64{0, 0.3, 1}[rng.IntN(3)]
	var at time.Duration
	for i, s := range path {
		if i > 0 {
			at += moment(rng.IntN, 0, 0, time.Second, 20*time.Second, 20*time.Minute, 9*time.Hour, 3*24*time.Hour)
			l.moves(at, s)
		}
		for range 1 + rng.IntN(3) {
			delay := moment(rng.IntN, 0, 0, 5*time.Second, 310*time.Second, 3*time.Hour)
			if rng.Float64() >= dropped {
				l.hears(at+delay, i, at, s)
			}
		}
	}
	return l
}

func requireTruth(t *testing.T, l *life, got kyc.State) {
	t.Helper()
	require.Equal(t, l.saw, got.Status, "the last word is Didit's")
	truth, closed := l.path[len(l.path)-1], l.Now()
	if heard := l.heard[len(l.path)-1]; truth != got.Status {
		require.True(t, heard.IsZero() || !heard.Before(closed), "closed as %q in spite of the news of %q", got.Status, truth)
	}
	switch want := outcomes[got.Status]; {
	case want != "":
		require.Equal(t, want, got.Outcome)
	case got.Status == didit.StatusNotStarted:
		require.Equal(t, kyc.OutcomeExpired, got.Outcome)
	default:
		require.Equal(t, kyc.OutcomeAbandoned, got.Outcome)
		require.NotEqual(t, didit.StatusInReview, got.Status)
	}
	if outcomes[got.Status] == "" {
		require.GreaterOrEqual(t, closed.Sub(beginning), deadline)
	}
	require.GreaterOrEqual(t, got.Attempt, 1)
	require.LessOrEqual(t, got.Attempt, 1+workflows.Resubmissions(l.path))
}

var outcomes = map[didit.Status]kyc.Outcome{
	didit.StatusApproved: kyc.OutcomeApproved, didit.StatusDeclined: kyc.OutcomeDeclined, didit.StatusExpired: kyc.OutcomeExpired,
	didit.StatusAbandoned: kyc.OutcomeAbandoned, didit.StatusKycExpired: kyc.OutcomeLapsed,
}

// Whichever of a session's events are lost, all of them included, its end is found before the interval is over that
// began with the last look. The intervals are as long as the spread allows.
func TestWhicheverEventsAreLostTheEndIsFoundWithinAnInterval(t *testing.T) {
	const ip, au, ir, re = didit.StatusInProgress, didit.StatusAwaitingUser, didit.StatusInReview, didit.StatusResubmitted
	for _, path := range [][]didit.Status{
		{didit.StatusExpired},
		{ip, didit.StatusApproved},
		{ip, ir, didit.StatusDeclined},
		{ip, ir, re, didit.StatusApproved},
		{ip, au, ir, re, didit.StatusDeclined},
		{ip, ir, re, au, ir, didit.StatusApproved},
		{ip, au, ir, re, ir, re, didit.StatusDeclined},
		{ip, au, ir, re, au, ir, re, didit.StatusApproved},
	} {
		for _, pace := range []time.Duration{40 * time.Second, 50 * time.Minute, 20 * time.Hour} {
			t.Run(fmt.Sprintf("%d events, one in %s", len(path), pace), func(t *testing.T) {
				t.Parallel()
				for mask := range 1 << len(path) {
					requireFound(t, path, pace, mask)
				}
			})
		}
	}
}

// requireFound delivers the events whose bits in mask are set.
func requireFound(t *testing.T, path []didit.Status, pace time.Duration, mask int) {
	t.Helper()
	l := newLife(t, 1.25)
	for i, s := range path {
		at := time.Duration(i+1) * pace
		l.moves(at, s)
		if mask>>i&1 == 1 {
			l.hears(at+time.Second, i+1, at, s)
		}
	}
	got, about := l.run(), fmt.Sprintf("mask %08b of %q", mask, path)
	require.Equal(t, path[len(path)-1], got.Status, about)
	require.Equal(t, outcomes[got.Status], got.Outcome, about)
	require.GreaterOrEqual(t, got.Attempt, 1, about)
	require.LessOrEqual(t, got.Attempt, 1+workflows.Resubmissions(path), about)

	final := l.moved[len(path)]
	interval := firstLook
	for _, at := range l.looks {
		if at.Before(final) && !l.heardAt(at) { // a look that was due makes the interval longer
			interval = min(2*interval, longestLook)
		}
	}
	took := l.Now().Sub(final)
	require.LessOrEqual(t, took, interval*5/4, about)
	if mask>>(len(path)-1) == 1 {
		require.LessOrEqual(t, took, time.Second, about)
	}
}

func (l *life) heardAt(at time.Time) bool {
	for _, h := range l.heard {
		if h.Equal(at) {
			return true
		}
	}
	return false
}
