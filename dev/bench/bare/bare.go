// Package bare is a workflow that does what a verification does to Temporal, and nothing else: what it costs is the floor.
package bare

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc"
)

// Names on the wire.
const (
	Workflow  = "Bare"
	Update    = "url"
	Signal    = "go"
	TaskQueue = "bare"
	First     = "bare-first" // of activities
)

// Input of the workflow.
type Input struct {
	Timer  bool     // wait with a timer beside the signal
	Upsert bool     // list what it waits for whenever that changes, as a verification does; the start lists the first
	After  []string // queues of the activities that run one after the other after the signal
}

// Run answers the update once its first activity is done, and then waits for a signal.
func Run(ctx workflow.Context, in Input) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 20 * time.Second})
	done := false
	err := workflow.SetUpdateHandler(ctx, Update, func(ctx workflow.Context) (string, error) {
		return "https://didit.example/session/1", workflow.Await(ctx, func() bool { return done })
	})
	if err == nil {
		err = workflow.ExecuteActivity(workflow.WithTaskQueue(ctx, First), Nothing).Get(ctx, nil)
	}
	if err != nil {
		return err
	}
	done = true
	if in.Upsert {
		if err := upsert(ctx, kyc.WaitingForUser); err != nil {
			return err
		}
	}
	if in.Timer {
		_ = workflow.NewTimer(ctx, 15*time.Minute)
	}
	workflow.GetSignalChannel(ctx, Signal).Receive(ctx, nil)
	for _, queue := range in.After {
		if in.Upsert {
			if err := upsert(ctx, kyc.WaitingFor(queue)); err != nil {
				return err
			}
		}
		if err := workflow.ExecuteActivity(workflow.WithTaskQueue(ctx, queue), Nothing).Get(ctx, nil); err != nil {
			return err
		}
	}
	if in.Upsert {
		return upsert(ctx, "")
	}
	return nil
}

func upsert(ctx workflow.Context, w kyc.WaitingFor) error {
	return workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor).ValueSet(string(w)))
}

// Nothing is an activity.
func Nothing(context.Context) error { return nil }
