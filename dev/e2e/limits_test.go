package e2e

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	sdkworker "go.temporal.io/sdk/worker"

	"didit-temporal/dev/skip"
	"didit-temporal/internal/app"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// startLimited starts a system and waits until its worker has set the limits.
func startLimited(t *testing.T) *system {
	t.Helper()
	s := start(t, options{})
	for _, queue := range ops.LimitedQueues() {
		s.eventually(func() bool {
			l, err := s.QueueLimit(s.within(timeout), queue)
			require.NoError(t, err)
			return l.Source == ops.LimitFromServer
		}, "the worker has set the limit of "+queue)
	}
	return s
}

// anyone sets the limit of the write queue as Temporal's command line does; nil takes it away.
func (s *system) anyone(identity string, perSecond *float32) {
	s.t.Helper()
	update := &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{Reason: "Didit asked us to"}
	if perSecond != nil {
		update.RateLimit = &taskqueuepb.RateLimit{RequestsPerSecond: *perSecond}
	}
	_, err := s.Temporal().WorkflowService().UpdateTaskQueueConfig(s.within(timeout), &workflowservice.UpdateTaskQueueConfigRequest{
		Namespace: s.Namespace(), Identity: identity, TaskQueue: kyc.TaskQueueDiditWrite,
		TaskQueueType: enums.TASK_QUEUE_TYPE_ACTIVITY, UpdateQueueRateLimit: update,
	})
	require.NoError(s.t, err)
	s.eventually(func() bool { // the server passes it to the queue a little later
		l, err := s.QueueLimit(s.within(timeout), kyc.TaskQueueDiditWrite)
		require.NoError(s.t, err)
		return l.ByOperator() == (perSecond != nil) && (perSecond != nil || l.Source != ops.LimitFromServer)
	}, "the queue has heard of its limit")
}

// inForce is the rate that the server keeps the write queue at, wherever it comes from.
func (s *system) inForce() (float64, enums.RateLimitSource) {
	limit := s.describeWrites().GetEffectiveRateLimit()
	return float64(limit.GetRequestsPerSecond()), limit.GetRateLimitSource()
}

// polls reports whether a worker of that identity polls the write queue.
func (s *system) polls(identity string) bool {
	return slices.ContainsFunc(s.describeWrites().GetPollers(), func(p *taskqueuepb.PollerInfo) bool { return p.GetIdentity() == identity })
}

func (s *system) describeWrites() *workflowservice.DescribeTaskQueueResponse {
	s.t.Helper()
	d, err := s.Temporal().WorkflowService().DescribeTaskQueue(s.within(timeout), &workflowservice.DescribeTaskQueueRequest{
		Namespace: s.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: kyc.TaskQueueDiditWrite},
		TaskQueueType: enums.TASK_QUEUE_TYPE_ACTIVITY, ReportConfig: true,
	})
	require.NoError(s.t, err)
	return d
}

func TestWorkersSetTheLimitsAtTheServer(t *testing.T) {
	skip.Long(t)
	s := startLimited(t)
	for _, queue := range ops.LimitedQueues() {
		l, err := s.QueueLimit(s.within(timeout), queue)
		require.NoError(t, err)
		assert.Equal(t, ops.LimitFromServer, l.Source)
		assert.Equal(t, ops.LimitIdentity, l.SetBy)
		assert.InDelta(t, app.SafeRate(6000, 1), l.PerSecond, 0.001)
		assert.Contains(t, l.Reason, "6000 calls a minute")
	}
}

// A worker of another version, or a foreign one, sends no rate when it polls.
func TestAWorkerThatForgetsItsLimitDoesNotLiftIt(t *testing.T) {
	skip.Long(t)
	s := startLimited(t)
	forgetful := sdkworker.New(s.Temporal(), kyc.TaskQueueDiditWrite, sdkworker.Options{DisableWorkflowWorker: true, Identity: "forgetful"})
	forgetful.RegisterActivityWithOptions(func(context.Context) error { return nil }, activity.RegisterOptions{Name: "Nothing"})
	require.NoError(t, forgetful.Start())
	defer forgetful.Stop()
	s.eventually(func() bool { return s.polls("forgetful") }, "the forgetful worker polls")

	rate, source := s.inForce()
	assert.Equal(t, enums.RATE_LIMIT_SOURCE_API, source)
	assert.InDelta(t, app.SafeRate(6000, 1), rate, 0.01)
}

func TestAnOperatorsLimitIsLeftAlone(t *testing.T) {
	skip.Long(t)
	s := startLimited(t)
	two := float32(2)
	s.anyone("somebody@console", &two)
	l, set, err := s.LimitQueue(s.within(timeout), kyc.TaskQueueDiditWrite, 4.85, "a worker that starts")
	require.NoError(t, err)
	assert.False(t, set)
	assert.True(t, l.ByOperator())
	assert.InDelta(t, 2, l.PerSecond, 0.001)
	assert.Equal(t, "Didit asked us to", l.Reason)

	s.anyone("somebody@console", nil) // taken back: the next worker that starts sets ours again
	l, set, err = s.LimitQueue(s.within(timeout), kyc.TaskQueueDiditWrite, 4.85, "a worker that starts")
	require.NoError(t, err)
	assert.True(t, set)
	assert.False(t, l.ByOperator())
	assert.InDelta(t, 4.85, l.PerSecond, 0.001)

	s.eventually(func() bool {
		l, err := s.QueueLimit(s.within(timeout), kyc.TaskQueueDiditWrite)
		require.NoError(t, err)
		return l.Source == ops.LimitFromServer
	}, "the queue has heard of its limit")
	l, set, err = s.LimitQueue(s.within(timeout), kyc.TaskQueueDiditWrite, 9.7, "a worker with another setting")
	require.NoError(t, err)
	assert.True(t, set, "our own value must follow the setting")
	assert.InDelta(t, 9.7, l.PerSecond, 0.001)
}

// A pause is the operator's way to stop all spending at once; what was asked for meanwhile waits.
func TestAPausedQueueWaitsAndLosesNothing(t *testing.T) {
	skip.Long(t)
	s := startLimited(t)
	none := float32(0)
	s.anyone("somebody@console", &none)
	done := make(chan error, 1)
	go func() {
		began, err := s.Start(s.within(timeout), kyc.Input{UserID: "paused"})
		assert.True(t, began.New, "who waited long learns that another caller began")
		done <- err
	}()
	s.eventually(func() bool {
		turn, err := s.QueuePosition(s.within(timeout), kyc.PriorityInteractive)
		require.NoError(t, err)
		_, known := turn.ETA(time.Now())
		return turn.Paused && !known && turn.Ahead == 1
	}, "the create is queued")
	assert.Empty(t, s.sim.Sessions(), "a call was made while the queue was paused")
	s.anyone("somebody@console", nil)
	require.NoError(t, <-done)
}

// The server's own limit is what a worker relies on; where it may not set one its polls send the rate.
func TestWorkersSendTheRateWhereTheServerHasNone(t *testing.T) {
	skip.Long(t)
	s := startLimited(t)
	s.anyone("somebody@console", nil)
	s.eventually(func() bool {
		rate, source := s.inForce()
		return source == enums.RATE_LIMIT_SOURCE_WORKER && math.Abs(rate-app.SafeRate(6000, 1)) < 0.01
	}, "the workers' rate is in force")
	l, err := s.QueueLimit(s.within(timeout), kyc.TaskQueueDiditWrite)
	require.NoError(t, err)
	assert.Equal(t, ops.LimitFromWorkers, l.Source)
}
