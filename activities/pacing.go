package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
)

// MetricDelayedTasks counts the tasks that came too late to be sent.
const MetricDelayedTasks = "kyc_didit_late_turns"

// A queue's rate counts a task when the server dispatches it; Didit counts the call when it arrives. Tasks that are delayed on
// the way and then arrive together would exceed Didit's limit. So a worker delays every task to match the slowest recent one,
// like the jitter buffer of a media player.
const (
	// DispatchJitter is how much closer together than they were dispatched calls may be sent, within Didit's window of a
	// minute: the jitter that passes, and what the delay shrinks by.
	DispatchJitter = jitter + shrink
	jitter         = 50 * time.Millisecond
	shrink         = 250 * time.Millisecond // a minute

	// maxLag is how late a task may come, compared with the fastest recent one. A later one fails and is retried.
	maxLag    = 3 * time.Second
	lagMemory = time.Minute // for how long at least the fastest is known
)

// pace spreads the calls under one limit over time. Its clock may differ from the server's: it compares tasks with each other,
// and forgets within minutes.
type pace struct {
	mu        sync.Mutex
	since     time.Time
	now, past time.Duration // the least lag in this minute, and in the one before
	delay     time.Duration // between a task's dispatch at the server and its call here
	at        time.Time     // when delay was set
}

// delayOf returns how long to delay the call of a task that the server dispatched at started, or that it came too late.
func (p *pace) delayOf(started, now time.Time) (wait time.Duration, late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lag := now.Sub(started)
	first := p.at.IsZero()
	least := p.learn(lag, now)
	if lag > least+maxLag {
		return 0, true
	}
	if first {
		p.delay = lag
	} else {
		p.delay -= time.Duration(float64(shrink) * now.Sub(p.at).Minutes())
	}
	p.at = now
	p.delay = min(max(p.delay, lag-jitter), least+maxLag)
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

// await returns when an activity may call Didit, or an error if its task came too late.
func (p *pace) await(ctx context.Context) error {
	if !activity.IsActivity(ctx) {
		return nil
	}
	wait, late := p.delayOf(activity.GetInfo(ctx).StartedTime, time.Now())
	if late {
		activity.GetMetricsHandler(ctx).Counter(MetricDelayedTasks).Inc(1)
		return notSent("the task was delayed on its way: no call was made", 100*time.Millisecond+rand.N(time.Second))
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}
