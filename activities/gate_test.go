package activities_test

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// door is an activity behind the interceptor, and what it answers with.
type door struct {
	interceptor.ActivityInboundInterceptorBase
	in     interceptor.ActivityInboundInterceptor
	answer func() error
	calls  atomic.Int32
}

func (d *door) ExecuteActivity(context.Context, *interceptor.ExecuteActivityInput) (any, error) {
	d.calls.Add(1)
	return nil, d.answer()
}

func newDoor(h interceptor.WorkerInterceptor) *door {
	d := &door{}
	d.in = h.InterceptActivity(context.Background(), d)
	return d
}

// call runs the activity once and returns how long to stay away; 0 if it was let in and came out well.
func (d *door) call(t *testing.T) time.Duration {
	t.Helper()
	_, err := d.in.ExecuteActivity(t.Context(), &interceptor.ExecuteActivityInput{})
	if err == nil {
		return 0
	}
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	assert.Equal(t, kyc.ErrorTypeRateLimited, app.Type())
	assert.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "waiting is not failing")
	assert.False(t, app.NonRetryable())
	return app.NextRetryDelay()
}

// run is call for another goroutine, where nothing can be asserted.
func (d *door) run() {
	_, _ = d.in.ExecuteActivity(context.Background(), &interceptor.ExecuteActivityInput{})
}

func fine() error { return nil }

func refusesFor(d time.Duration) func() error {
	return func() error {
		return temporal.NewApplicationErrorWithOptions("slow down", kyc.ErrorTypeRateLimited, temporal.ApplicationErrorOptions{
			NextRetryDelay: d, Category: temporal.ApplicationErrorCategoryBenign,
		})
	}
}

func TestA429ClosesTheGateUntilAProbeSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := activities.RateLimitGate()
		a, b := newDoor(h), newDoor(h)
		a.answer, b.answer = refusesFor(20*time.Second), fine
		require.Equal(t, 20*time.Second, a.call(t))

		time.Sleep(15 * time.Second)
		wait := b.call(t)
		assert.GreaterOrEqual(t, wait, 5*time.Second, "it came back before Didit's time")
		assert.Less(t, wait, 7*time.Second)
		require.Zero(t, b.calls.Load(), "a call was made before its time")

		time.Sleep(5 * time.Second)
		release := make(chan struct{})
		b.answer = func() error { <-release; return nil }
		first := make(chan struct{})
		go func() { defer close(first); b.run() }()
		synctest.Wait()
		for range 100 { // while one is asking, the others wait
			assert.InDelta(t, 1.5, a.call(t).Seconds(), 0.6)
		}
		require.EqualValues(t, 1, a.calls.Load())
		close(release)
		<-first

		a.answer = fine
		assert.Zero(t, a.call(t), "the gate did not open")
		assert.EqualValues(t, 2, a.calls.Load())
	})
}

func TestTheGateStaysClosedIfTheProbeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(activities.RateLimitGate())
		d.answer = refusesFor(10 * time.Second)
		d.call(t)
		for n := range 5 { // one probe for each Retry-After
			time.Sleep(10 * time.Second)
			require.Equal(t, 10*time.Second, d.call(t))
			require.EqualValues(t, n+2, d.calls.Load())
			require.Greater(t, d.call(t), 9*time.Second)
			require.EqualValues(t, n+2, d.calls.Load())
		}
	})
}

func TestACallFromBeforeThe429DoesNotOpenTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := activities.RateLimitGate()
		before, d := newDoor(h), newDoor(h)
		release := make(chan struct{})
		before.answer = func() error { <-release; return nil }
		done := make(chan struct{})
		go func() { defer close(done); before.run() }()
		synctest.Wait()
		d.answer = refusesFor(time.Minute)
		d.call(t)
		close(release)
		<-done
		require.Greater(t, d.call(t), 59*time.Second)
		assert.EqualValues(t, 1, d.calls.Load())
	})
}

func TestA429WithoutRetryAfterClosesTheGateForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(activities.RateLimitGate())
		d.answer = refusesFor(0)
		_, err := d.in.ExecuteActivity(t.Context(), &interceptor.ExecuteActivityInput{})
		require.Error(t, err)
		time.Sleep(4 * time.Second)
		assert.Greater(t, d.call(t), time.Second)
		assert.EqualValues(t, 1, d.calls.Load())
	})
}

// One limit must not hold back another, and a failure that is no 429 holds back nothing.
func TestOnlyA429OfTheSameLimitClosesTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writes, reads := newDoor(activities.RateLimitGate()), newDoor(activities.RateLimitGate())
		writes.answer, reads.answer = refusesFor(time.Minute), fine
		writes.call(t)
		assert.Zero(t, reads.call(t))

		down := newDoor(activities.RateLimitGate())
		down.answer = func() error { return temporal.NewApplicationError("down", kyc.ErrorTypeUnavailable) }
		for range 3 {
			_, err := down.in.ExecuteActivity(t.Context(), &interceptor.ExecuteActivityInput{})
			require.ErrorContains(t, err, "down")
		}
		assert.EqualValues(t, 3, down.calls.Load())
	})
}

// A panic in the one that goes first must not keep the gate closed for ever.
func TestAPanicOfTheProbeDoesNotLockTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(activities.RateLimitGate())
		d.answer = refusesFor(10 * time.Second)
		d.call(t)
		time.Sleep(10 * time.Second)
		d.answer = func() error { panic("boom") }
		assert.Panics(t, func() { d.call(t) })
		d.answer = fine
		time.Sleep(5 * time.Second)
		assert.Zero(t, d.call(t))
	})
}

func TestRateLimitedAttemptsAreBenign(t *testing.T) {
	for status, want := range map[int]temporal.ApplicationErrorCategory{
		http.StatusTooManyRequests:    temporal.ApplicationErrorCategoryBenign,
		http.StatusServiceUnavailable: temporal.ApplicationErrorCategoryUnspecified,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			_, err := run[activities.MadeSession](t, refusing(status), create, activities.CreateSessionInput{UserID: "u1"})
			var app *temporal.ApplicationError
			require.ErrorAs(t, err, &app)
			assert.Equal(t, want, app.Category())
		})
	}
}

func refusing(status int) fakeDidit {
	return fakeDidit{list: having(), create: func(didit.CreateSessionRequest) (didit.Session, error) {
		return didit.Session{}, &didit.APIError{Op: "create session", StatusCode: status}
	}}
}
