package kyc

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// WorkflowSweep is the type of the workflow that finds the events which Didit could not deliver to the webhook, and hands
// them on. One schedule per deployment starts it.
const WorkflowSweep = "Sweep"

// SweepID is the id of the schedule, and what the ids of its workflows begin with: Temporal appends the time. No user's
// workflow has such an id, since '~' cannot occur in a user id.
const SweepID = "kyc~sweep"

const (
	// SweepInterval is the time between two sweeps.
	SweepInterval = 15 * time.Minute
	// sweepCatchUp is how old a missed start may be that Temporal makes up for after an outage of its own.
	sweepCatchUp = time.Hour
)

// SweepState says how a sweep ended.
type SweepState string

// The ends of a sweep.
const (
	SweepDone       SweepState = "done"       // it has seen all deliveries up to now
	SweepPartial    SweepState = "partial"    // there were more than one sweep may read: the next one carries on
	SweepUnreadable SweepState = "unreadable" // Didit refuses to show deliveries: SweepResult.ErrorType says why
)

// SweepResult is what a sweep has found, and where the next one carries on. It holds counts, times, ids of destinations
// and hashes of ids of sessions, nothing about users.
type SweepResult struct {
	State SweepState `json:"state"`
	// ErrorType is one of the ErrorType constants when State is unreadable.
	ErrorType string `json:"error_type,omitempty"`
	Reads     int    `json:"reads"` // calls to Didit
	Found     int    `json:"found"` // lost events that were handed on
	// Cursors are there for each destination that is enabled.
	Cursors []SweepCursor `json:"cursors,omitempty"`
}

// SweepCursor is where the next sweep of a destination carries on.
type SweepCursor struct {
	Destination string `json:"destination"`
	// From is the time before which all attempts have been seen.
	From time.Time `json:"from"`
	// Read is how many attempts a partial sweep has seen, from that of Mark backwards.
	Read int       `json:"read,omitempty"`
	Mark time.Time `json:"mark,omitzero"`
	// Handed are the sessions of which an event was handed on, where the next sweep will see the same attempts again.
	Handed []SweptSession `json:"handed,omitempty"`
}

// SweptSession is a session of which a sweep has handed on an event.
type SweptSession struct {
	Key string    `json:"key"` // stands for the session's id
	At  time.Time `json:"at"`  // of the attempt to deliver the event
}

// SetupSweep makes the schedule of sweeps, or updates the one that is there, and reports whether it is new. An operator's
// pause is kept, and so is where the next sweep carries on.
func (c *Client) SetupSweep(ctx context.Context) (made bool, err error) {
	schedules := c.temporal.ScheduleClient()
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
		return false, fmt.Errorf("make the schedule %s in namespace %s: %w", SweepID, c.namespace, err)
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
		ID: SweepID, Workflow: WorkflowSweep, TaskQueue: TaskQueue,
		StaticSummary: "Find the events that Didit could not deliver",
	}
}

// Sweeps is what Temporal knows of the sweeps.
type Sweeps struct {
	Paused bool
	// Note is what who paused them has said.
	Note string
	// Since is when the schedule was made, Last when the newest sweep began; zero if none has. Runs is set while one runs.
	Since, Last time.Time
	Runs        bool
	// Result is that of the newest sweep; zero where it has none yet, or where it cannot be decrypted here.
	Result SweepResult
}

// Sweeps describes the schedule and its newest sweep. ErrNotFound means that there is no schedule: `starter setup` makes it.
func (c *Client) Sweeps(ctx context.Context) (Sweeps, error) {
	d, err := c.temporal.ScheduleClient().GetHandle(ctx, SweepID).Describe(ctx)
	if isNotFound(err) {
		return Sweeps{}, fmt.Errorf("schedule %s: %w", SweepID, ErrNotFound)
	}
	if err != nil {
		return Sweeps{}, fmt.Errorf("describe the schedule %s: %w", SweepID, err)
	}
	s := Sweeps{Since: d.Info.CreatedAt, Runs: len(d.Info.RunningWorkflows) > 0}
	if d.Schedule.State != nil {
		s.Paused, s.Note = d.Schedule.State.Paused, d.Schedule.State.Note
	}
	var newest *client.ScheduleWorkflowExecution
	for _, a := range d.Info.RecentActions {
		if a.ActualTime.After(s.Last) {
			s.Last, newest = a.ActualTime, a.StartWorkflowResult
		}
	}
	if newest != nil && !s.Runs {
		_ = c.temporal.GetWorkflow(ctx, newest.WorkflowID, newest.FirstExecutionRunID).Get(ctx, &s.Result) // zero is documented
	}
	return s, nil
}
