package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// timers are the alarms of one workflow. One that runs is never cancelled: when it fires and there is nothing to do,
// the next one is set. Cancelling would cost two events a time.
type timers struct {
	running []time.Time
	fired   time.Time // the latest that has fired
}

// now is the workflow's time, and never before a timer that has fired: another host's clock may be behind.
func (t *timers) now(ctx workflow.Context) time.Time {
	if now := workflow.Now(ctx); now.After(t.fired) {
		return now
	}
	return t.fired
}

// start makes sure that something wakes the workflow at the given time or before, and returns when that is.
func (t *timers) start(ctx workflow.Context, at time.Time) time.Time {
	for _, other := range t.running {
		if !other.After(at) {
			return other
		}
	}
	t.running = append(t.running, at)
	timer := workflow.NewTimerWithOptions(ctx, at.Sub(t.now(ctx)), workflow.TimerOptions{Summary: "Next look at Didit, if no webhook comes"})
	workflow.Go(ctx, func(ctx workflow.Context) {
		if err := timer.Get(ctx, nil); err != nil {
			return // the workflow was cancelled, which whoever waits sees too
		}
		t.fired = later(t.fired, at)
		t.drop(at)
	})
	return at
}

// run reports whether the timer that start returned has yet to fire.
func (t *timers) run(at time.Time) bool {
	for _, other := range t.running {
		if other.Equal(at) {
			return true
		}
	}
	return false
}

func (t *timers) drop(at time.Time) {
	for i, other := range t.running {
		if other.Equal(at) {
			t.running = append(t.running[:i], t.running[i+1:]...)
			return
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
