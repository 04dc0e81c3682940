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
// fires and nothing is due, the workflow sets the next one. None has a coroutine, whose stack a waiting workflow would keep.
type timers struct {
	running []timer
	fired   time.Time // the latest that has fired
}

// timer is one of them: done when it has fired, or its context is cancelled.
type timer struct {
	at   time.Time
	done workflow.Future
}

// now is the workflow's time, and never before a timer that has fired: another host's clock may be behind.
func (t *timers) now(ctx workflow.Context) time.Time {
	t.running = slices.DeleteFunc(t.running, func(timer timer) bool {
		if !timer.done.IsReady() {
			return false
		}
		if err := timer.done.Get(ctx, nil); err == nil {
			t.fired = later(t.fired, timer.at)
		}
		return true
	})
	return later(workflow.Now(ctx), t.fired)
}

// start makes sure that the workflow wakes at the given time or before, and returns the timer that does.
func (t *timers) start(ctx workflow.Context, at time.Time) workflow.Future {
	now := t.now(ctx)
	for _, other := range t.running {
		if !other.at.After(at) {
			return other.done
		}
	}
	next := timer{at, workflow.NewTimerWithOptions(ctx, at.Sub(now), workflow.TimerOptions{Summary: "Next poll of Didit, if no webhook comes"})}
	t.running = append(t.running, next)
	return next.done
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
