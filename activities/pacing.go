package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc"
)

// MetricDelayedTasks counts the turns that came too late to be used.
const MetricDelayedTasks = "kyc_didit_late_turns"

// A queue's rate counts a turn when the server hands it out; Didit counts it when it arrives. Turns that were held up on the
// way and then go on together would be more than Didit allows. So a worker uses all turns equally late: as late as the
// latest one of late, like the buffer of a player that must not skip.
const (
	// DispatchJitter is how much closer together than they were handed out turns may be used, within Didit's window of a
	// minute: the jitter that is let through, and what the lateness shrinks by.
	DispatchJitter = jitter + shrink
	jitter         = 50 * time.Millisecond
	shrink         = 250 * time.Millisecond // a minute

	// longestLag is how late a turn may come, compared with the soonest of late. A later one is put back unused.
	longestLag = 3 * time.Second
	lagMemory  = time.Minute // for how long at least the soonest is known
)

// pace spreads the turns of a limit over time. It needs no clock that agrees with the server's: it compares turns with
// each other, and forgets within minutes.
type pace struct {
	mu        sync.Mutex
	since     time.Time
	now, past time.Duration // the least lag in the minute that runs, and in the one before
	delay     time.Duration // between a turn's start at the server and its use here
	at        time.Time     // when delay was set
}

// turn says how long to wait before a turn that the server handed out at started is used, or that it came too late.
func (p *pace) turn(started, now time.Time) (wait time.Duration, late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lag := now.Sub(started)
	first := p.at.IsZero()
	least := p.learn(lag, now)
	if lag > least+longestLag {
		return 0, true
	}
	if first {
		p.delay = lag
	} else {
		p.delay -= time.Duration(float64(shrink) * now.Sub(p.at).Minutes())
	}
	p.at = now
	p.delay = min(max(p.delay, lag-jitter), least+longestLag)
	return max(0, p.delay-lag), false
}

// learn returns the least lag of the last one to two minutes.
func (p *pace) learn(lag time.Duration, now time.Time) time.Duration {
	switch age := now.Sub(p.since); {
	case p.since.IsZero() || age > 2*lagMemory:
		p.since, p.now, p.past = now, lag, lag
	case age > lagMemory:
		p.since, p.now, p.past = now, lag, p.now
	default:
		p.now = min(p.now, lag)
	}
	return min(p.now, p.past)
}

// await returns when the turn of an activity may be used, or puts it back.
func (p *pace) await(ctx context.Context) error {
	if !activity.IsActivity(ctx) {
		return nil
	}
	wait, late := p.turn(activity.GetInfo(ctx).StartedTime, time.Now())
	if late {
		activity.GetMetricsHandler(ctx).Counter(MetricDelayedTasks).Inc(1)
		return tooLate()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// tooLate is the failure of a call that was not made because its turn was held up: it queues for another one.
func tooLate() error {
	return temporal.NewApplicationErrorWithOptions("the turn was held up on its way: no call was made", kyc.ErrorTypeRateLimited,
		temporal.ApplicationErrorOptions{
			NextRetryDelay: 100*time.Millisecond + rand.N(time.Second), Category: temporal.ApplicationErrorCategoryBenign,
		})
}
