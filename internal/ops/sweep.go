package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc"
)

// SweepID is the id of the schedule, and the prefix of its workflows' ids, to which Temporal appends the time. No user's
// workflow has such an id, since a user id has no '~'.
const SweepID = "kyc~sweep"

const (
	// SweepInterval is the time between two sweeps.
	SweepInterval = 15 * time.Minute
	// sweepCatchUp is how old a missed start may be that Temporal makes up for after an outage of its own.
	sweepCatchUp = time.Hour
)

// SetupSweep creates the schedule of sweeps, or updates the one that exists, and reports whether it is new. It keeps an
// operator's pause, and the place where the next sweep continues.
func (c *Client) SetupSweep(ctx context.Context) (created bool, err error) {
	schedules := c.Temporal().ScheduleClient()
	_, err = schedules.Create(ctx, client.ScheduleOptions{
		ID: SweepID, Spec: sweepSpec(), Action: sweepAction(), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: sweepCatchUp,
	})
	if err == nil {
		return true, nil
	}
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = schedules.GetHandle(ctx, SweepID).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: sweepUpdate})
	}
	if err != nil {
		return false, fmt.Errorf("create the schedule %s in namespace %s: %w", SweepID, c.Namespace(), err)
	}
	return false, nil
}

func sweepUpdate(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
	spec := sweepSpec()
	s := in.Description.Schedule
	s.Spec, s.Action = &spec, sweepAction()
	s.Policy = &client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: sweepCatchUp}
	return &client.ScheduleUpdate{Schedule: &s}, nil
}

// sweepSpec spreads the sweeps of deployments that share a Didit application.
func sweepSpec() client.ScheduleSpec {
	return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: SweepInterval}}, Jitter: time.Minute}
}

func sweepAction() *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{
		ID: SweepID, Workflow: kyc.WorkflowSweep, TaskQueue: kyc.TaskQueue,
		StaticSummary: "Find the events that Didit could not deliver",
	}
}

// Sweeps is the schedule of sweeps and its newest sweep.
type Sweeps struct {
	Paused bool
	// Note is the comment of the operator who paused them.
	Note string
	// Since is when the schedule was created, Last when the newest sweep began; zero if none has.
	Since, Last time.Time
	// Result is that of the newest sweep; zero if it has none yet, or if this process cannot decrypt it.
	Result kyc.SweepResult
}

// Sweeps describes the schedule and its newest sweep. kyc.ErrNotFound means that there is no schedule: `starter setup` creates it.
func (c *Client) Sweeps(ctx context.Context) (Sweeps, error) {
	d, err := c.Temporal().ScheduleClient().GetHandle(ctx, SweepID).Describe(ctx)
	if isNotFound(err) {
		return Sweeps{}, fmt.Errorf("schedule %s: %w", SweepID, kyc.ErrNotFound)
	}
	if err != nil {
		return Sweeps{}, fmt.Errorf("describe the schedule %s: %w", SweepID, err)
	}
	s := Sweeps{Since: d.Info.CreatedAt}
	if d.Schedule.State != nil {
		s.Paused, s.Note = d.Schedule.State.Paused, d.Schedule.State.Note
	}
	var newest *client.ScheduleWorkflowExecution
	for _, a := range d.Info.RecentActions {
		if a.ActualTime.After(s.Last) {
			s.Last, newest = a.ActualTime, a.StartWorkflowResult
		}
	}
	if newest != nil && len(d.Info.RunningWorkflows) == 0 {
		_ = c.Temporal().GetWorkflow(ctx, newest.WorkflowID, newest.FirstExecutionRunID).Get(ctx, &s.Result) // zero is documented
	}
	return s, nil
}
