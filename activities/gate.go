package activities

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc"
)

// RateLimitGate returns a worker's interceptor that stops a series of 429s: after the first one no activity of this worker
// calls Didit until Didit's Retry-After has passed. Then one call goes first as a probe, and the rest follow if it succeeds.
// A call that the gate refuses fails like a 429, and Temporal retries it after the delay.
//
// It also paces tasks that were delayed on their way from the server: the queue's rate counts them at dispatch, so delayed
// tasks that arrive together would exceed Didit's limit. A task that comes very late fails in the same way.
//
// Use one per task queue, since a queue is a limit of Didit. Its state is safe to lose.
func RateLimitGate() interceptor.WorkerInterceptor { return &rateLimitGate{} }

// MetricHeldBack counts the calls that the gate refused.
const MetricHeldBack = "kyc_didit_held_back"

type rateLimitGate struct {
	interceptor.WorkerInterceptorBase
	gate gate
	pace pace
}

// InterceptActivity puts the gate before every activity of the worker.
func (h *rateLimitGate) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &gatedActivity{interceptor.ActivityInboundInterceptorBase{Next: next}, &h.gate, &h.pace}
}

type gatedActivity struct {
	interceptor.ActivityInboundInterceptorBase
	gate *gate
	pace *pace
}

// ExecuteActivity runs the activity after its delay, if the gate is open then.
func (a *gatedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if err := a.pace.await(ctx); err != nil {
		return nil, err
	}
	probe, wait := a.gate.enter(time.Now())
	if wait > 0 {
		if activity.IsActivity(ctx) {
			activity.GetMetricsHandler(ctx).Counter(MetricHeldBack).Inc(1)
		}
		return nil, refusedByGate(wait)
	}
	refused, delay := probe, time.Duration(0) // if a probe panics, the gate stays closed
	defer func() { a.gate.leave(time.Now(), probe, refused, delay) }()
	out, err := a.Next.ExecuteActivity(ctx, in)
	refused, delay = rateLimited(err)
	return out, err
}

const (
	minClosed     = 5 * time.Second // if Didit sends no Retry-After
	probeInterval = time.Second     // until the others ask whether the probe succeeded
	maxExtra      = 5 * time.Second
)

// refusedByGate is the failure of a call that was not made. The random extra spreads the retries.
func refusedByGate(wait time.Duration) error {
	extra := time.Duration(rand.Int64N(int64(min(wait/10, maxExtra)) + int64(probeInterval)))
	return notSent("Didit limits this worker: no call was made", wait+extra)
}

func rateLimited(err error) (refused bool, delay time.Duration) {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == kyc.ErrorTypeRateLimited {
		return true, app.NextRetryDelay()
	}
	return false, 0
}

// notSent is an error like that of a 429, for a call that this worker did not send.
func notSent(why string, delay time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(why, kyc.ErrorTypeRateLimited,
		temporal.ApplicationErrorOptions{NextRetryDelay: delay, Category: temporal.ApplicationErrorCategoryBenign})
}

// gate is open, or closed until a time after which one call goes first as a probe.
type gate struct {
	mu      sync.Mutex
	until   time.Time // zero while it is open
	probing bool
}

// enter returns how long to wait; zero admits a call, which must leave. probe marks the one that goes first.
func (g *gate) enter(now time.Time) (probe bool, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.until.IsZero():
		return false, 0
	case now.Before(g.until):
		return false, g.until.Sub(now)
	case g.probing:
		return false, probeInterval
	}
	g.probing = true
	return true, 0
}

// leave closes the gate after a 429. Only the probe opens it again: other successful calls were sent before the first 429.
func (g *gate) leave(now time.Time, probe, refused bool, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if probe {
		g.probing = false
	}
	if refused {
		if until := now.Add(max(delay, minClosed)); until.After(g.until) {
			g.until = until
		}
	} else if probe {
		g.until = time.Time{}
	}
}
