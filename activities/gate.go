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

// RateLimitGate returns a worker's interceptor that ends a storm of 429s: after the first one no activity of this worker
// calls Didit until Didit's Retry-After has passed; then one goes first, and the rest follow when it was let in. A call
// that is held back fails as a 429 would, without a call, and Temporal tries it again after the wait.
//
// It also spreads calls that were held up on their way from the server: the rate of the queue counts turns when they are
// handed out, so turns that pile up on the way would break Didit's limit together. What comes very late is put back.
//
// Use one per task queue, since a queue is a limit of Didit. What it knows is harmless to lose.
func RateLimitGate() interceptor.WorkerInterceptor { return &rateLimitGate{} }

// MetricHeldBack counts the calls that were put back without being sent.
const MetricHeldBack = "kyc_didit_held_back"

type rateLimitGate struct {
	interceptor.WorkerInterceptorBase
	gate gate
	pace pace
}

// InterceptActivity puts the gate in front of every activity of the worker.
func (h *rateLimitGate) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &heldActivity{interceptor.ActivityInboundInterceptorBase{Next: next}, &h.gate, &h.pace}
}

type heldActivity struct {
	interceptor.ActivityInboundInterceptorBase
	gate *gate
	pace *pace
}

// ExecuteActivity runs the activity when its turn has come, if the gate is open then.
func (a *heldActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	if err := a.pace.await(ctx); err != nil {
		return nil, err
	}
	probe, wait := a.gate.enter(time.Now())
	if wait > 0 {
		if activity.IsActivity(ctx) {
			activity.GetMetricsHandler(ctx).Counter(MetricHeldBack).Inc(1)
		}
		return nil, heldBack(wait)
	}
	refused, delay := probe, time.Duration(0) // if it panics, nobody knows whether Didit would let the others in
	defer func() { a.gate.leave(time.Now(), probe, refused, delay) }()
	out, err := a.Next.ExecuteActivity(ctx, in)
	refused, delay = rateLimited(err)
	return out, err
}

const (
	shortestHold = 5 * time.Second // where Didit does not say how long
	probeTime    = time.Second     // until the others ask whether the first one was let in
	longestExtra = 5 * time.Second
)

// heldBack is the failure of a call that was not made. The extra keeps those who wait from coming back together.
func heldBack(wait time.Duration) error {
	extra := time.Duration(rand.Int64N(int64(min(wait/10, longestExtra)) + int64(probeTime)))
	return temporal.NewApplicationErrorWithOptions("Didit has told this worker to wait: no call was made", kyc.ErrorTypeRateLimited,
		temporal.ApplicationErrorOptions{NextRetryDelay: wait + extra, Category: temporal.ApplicationErrorCategoryBenign})
}

func rateLimited(err error) (refused bool, delay time.Duration) {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != kyc.ErrorTypeRateLimited {
		return false, 0
	}
	return true, app.NextRetryDelay()
}

// gate is open, or closed until a time after which one call goes first.
type gate struct {
	mu      sync.Mutex
	until   time.Time // zero while it is open
	probing bool
}

// enter says how long to stay away; zero lets a call in, which must leave. probe marks the one that goes first.
func (g *gate) enter(now time.Time) (probe bool, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.until.IsZero():
		return false, 0
	case now.Before(g.until):
		return false, g.until.Sub(now)
	case g.probing:
		return false, probeTime
	}
	g.probing = true
	return true, 0
}

// leave closes the gate after a refusal. Only the one that went first opens it again: others that come out well were
// sent before the storm.
func (g *gate) leave(now time.Time, probe, refused bool, delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if probe {
		g.probing = false
	}
	if refused {
		if until := now.Add(max(delay, shortestHold)); until.After(g.until) {
			g.until = until
		}
		return
	}
	if probe {
		g.until = time.Time{}
	}
}
