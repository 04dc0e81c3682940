package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
)

// reconcileSchedule says when to poll Didit although no webhook came. Its intervals double up to a longest one.
type reconcileSchedule struct {
	first, longest time.Duration
	interval       time.Duration
	next           time.Time // zero before the session
}

func newSchedule(p activities.SessionPolicy, now time.Time) reconcileSchedule {
	first := time.Duration(p.ReconcileSeconds) * time.Second
	return reconcileSchedule{first: first, longest: time.Duration(p.ReconcileMaxSeconds) * time.Second, interval: first, next: now.Add(first)}
}

// restart polls after the first interval: the person has just acted, or been asked to. The grown interval stays, or a person
// who is asked again for months would fill the history.
func (s *reconcileSchedule) restart(now time.Time) {
	if at := now.Add(s.first); s.next.IsZero() || at.Before(s.next) {
		s.next = at
	}
}

// done records a read of the decision. Only one that was due makes the next interval longer.
func (s *reconcileSchedule) done(now time.Time) {
	if s.due(now) {
		s.interval = min(2*s.interval, s.longest)
	}
	s.next = now.Add(s.interval)
}

func (s *reconcileSchedule) due(now time.Time) bool { return !s.next.IsZero() && !now.Before(s.next) }

// timers are the poll timers of one workflow. A running one is never cancelled, which would cost two events each: when it
// fires and nothing is due, the workflow sets the next one.
type timers struct {
	running []time.Time
	fired   time.Time // the latest that has fired
}

// now is the workflow's time, and never before a timer that has fired: another host's clock may be behind.
func (t *timers) now(ctx workflow.Context) time.Time { return later(workflow.Now(ctx), t.fired) }

// start makes sure that the workflow wakes at the given time or before, and returns when that is.
func (t *timers) start(ctx workflow.Context, at time.Time) time.Time {
	for _, other := range t.running {
		if !other.After(at) {
			return other
		}
	}
	t.running = append(t.running, at)
	timer := workflow.NewTimerWithOptions(ctx, at.Sub(t.now(ctx)), workflow.TimerOptions{Summary: "Next poll of Didit, if no webhook comes"})
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := timer.Get(ctx, nil); err == nil {
			t.fired = later(t.fired, at)
		}
		t.running = slices.DeleteFunc(t.running, at.Equal)
	})
	return at
}

// run reports whether the timer that start returned has yet to fire.
func (t *timers) run(at time.Time) bool {
	return slices.ContainsFunc(t.running, at.Equal)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
