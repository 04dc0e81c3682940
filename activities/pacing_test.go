package activities_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// road takes a given time from the server to an activity, by the worker's clock.
type road struct {
	interceptor.WorkerInterceptorBase
	took time.Duration
}

func (r *road) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &inbound{interceptor.ActivityInboundInterceptorBase{Next: next}, r}
}

type inbound struct {
	interceptor.ActivityInboundInterceptorBase
	road *road
}

func (i *inbound) Init(out interceptor.ActivityOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.ActivityOutboundInterceptorBase{Next: out}, i.road})
}

type outbound struct {
	interceptor.ActivityOutboundInterceptorBase
	road *road
}

func (o *outbound) GetInfo(ctx context.Context) activity.Info {
	info := o.Next.GetInfo(ctx)
	info.StartedTime = time.Now().Add(-o.road.took)
	return info
}

func TestTasksAreDelayedEqually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, called := &road{}, false
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{activities.RateLimitGate(), r}})
		env.RegisterActivityWithOptions(func(context.Context) error { called = true; return nil }, activity.RegisterOptions{Name: "call"})
		call := func(took time.Duration) (waited time.Duration, err error) {
			r.took, called = took, false
			began := time.Now()
			_, err = env.ExecuteActivity("call")
			require.Equal(t, called, err == nil)
			return time.Since(began), err
		}

		waited, err := call(5 * time.Millisecond)
		require.NoError(t, err)
		assert.Zero(t, waited)
		waited, err = call(2 * time.Second)
		require.NoError(t, err)
		assert.Zero(t, waited, "its own delay is long enough")
		waited, err = call(5 * time.Millisecond)
		require.NoError(t, err)
		assert.InDelta(t, 1.95, waited.Seconds(), 0.01)

		waited, err = call(4 * time.Second)
		assert.Zero(t, waited)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		assert.Equal(t, kyc.ErrorTypeRateLimited, app.Type())
		assert.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "waiting is not failing")
		assert.Positive(t, app.NextRetryDelay())
		assert.LessOrEqual(t, app.NextRetryDelay(), 1100*time.Millisecond)
	})
}

// travel dispatches tasks, and returns how the worker delays each.
type travel struct {
	pace activities.Pace
	now  time.Time
}

func (v *travel) arrive(took time.Duration) (wait time.Duration, late bool) {
	return v.pace.DelayOf(v.now.Add(-took), v.now)
}

func newTravel() *travel { return &travel{now: time.Unix(1_800_000_000, 0)} }

func TestADelayedWorkerSoonSpeedsUpAgain(t *testing.T) {
	v := newTravel()
	v.arrive(5 * time.Millisecond)
	v.arrive(2 * time.Second)
	v.now = v.now.Add(8 * time.Minute)
	wait, late := v.arrive(5 * time.Millisecond)
	require.False(t, late)
	require.Zero(t, wait)
	wait, _ = v.arrive(50 * time.Millisecond)
	assert.Zero(t, wait, "jitter")
	wait, _ = v.arrive(5 * time.Millisecond)
	assert.Zero(t, wait, "jitter")
}

// A worker's first tasks may be delayed ones: it starts under load. And its clock may differ from the server's.
func TestClocksThatDifferCostNothing(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			v := newTravel()
			for range 100 {
				v.now = v.now.Add(time.Second)
				wait, late := v.arrive(skew + 5*time.Millisecond)
				require.False(t, late)
				require.Zero(t, wait)
			}
			wait, late := v.arrive(skew + 2*time.Second)
			require.False(t, late)
			require.Zero(t, wait)
			wait, _ = v.arrive(skew)
			require.InDelta(t, 1.95, wait.Seconds(), 0.01)
		})
	}
}

func TestAClockThatIsSetDoesNoLastingHarm(t *testing.T) {
	for name, to := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			v := newTravel()
			for range 100 {
				v.now = v.now.Add(time.Second)
				v.arrive(5 * time.Millisecond)
			}
			harm := 0
			for range 2400 {
				v.now = v.now.Add(time.Second)
				wait, late := v.arrive(to + 5*time.Millisecond)
				require.LessOrEqual(t, wait, 3*time.Second)
				if late || wait > 0 {
					harm++
				}
			}
			assert.Less(t, harm, 900)
			wait, late := v.arrive(to + 5*time.Millisecond)
			assert.False(t, late)
			assert.Zero(t, wait)
		})
	}
}

// Whatever the road does, tasks that were dispatched evenly are sent evenly, and few are lost.
func TestDelayedTasksAreSpreadAgain(t *testing.T) {
	const rate, lasts = 4.82, 20 * time.Minute
	for seed := range uint64(500) {
		draw := rand.New(rand.NewPCG(seed, 1))
		v := newTravel()
		var used []time.Time
		ways := stalls(draw, v.now, rate, lasts)
		for _, way := range ways {
			v.now = way.arrives
			if wait, late := v.arrive(way.took); !late {
				used = append(used, way.arrives.Add(wait))
			}
		}
		slices.SortFunc(used, time.Time.Compare)
		for i := range used {
			n, _ := slices.BinarySearchFunc(used, used[i].Add(time.Minute), time.Time.Compare)
			require.LessOrEqual(t, float64(n-i), rate*(60+activities.DispatchJitter.Seconds())+1, "seed %d", seed)
		}
		require.Greater(t, float64(len(used)), 0.9*float64(len(ways)), "seed %d", seed)
	}
}

type way struct {
	arrives time.Time
	took    time.Duration
}

// stalls dispatches tasks evenly; now and then all are delayed until one time, by up to five seconds.
func stalls(draw *rand.Rand, began time.Time, rate float64, lasts time.Duration) []way {
	var until time.Time
	var ways []way
	for n := range int(rate * lasts.Seconds()) {
		out := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if n > 0 && draw.IntN(200) == 0 {
			until = out.Add(time.Duration(draw.Int64N(int64(5 * time.Second))))
		}
		arrives := out.Add(time.Millisecond + time.Duration(draw.Int64N(int64(30*time.Millisecond))))
		if arrives.Before(until) {
			arrives = until
		}
		ways = append(ways, way{arrives, arrives.Sub(out)})
	}
	slices.SortStableFunc(ways, func(a, b way) int { return a.arrives.Compare(b.arrives) })
	return ways
}
