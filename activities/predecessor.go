package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc"
)

// Runs is what activities ask Temporal about a user's verification; ops.Client is one.
type Runs interface {
	// Predecessor returns the last state of the user's runs before runID; zero if nothing is known. With ErrListLags it may
	// lack the newest of them.
	Predecessor(ctx context.Context, userID, runID string) (kyc.Snapshot, error)
	// Deliver delivers an event to the user's verification, as the webhook does.
	Deliver(ctx context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error)
	// Erased reports whether the user has been erased, and DeleteRun deletes a run.
	Erased(ctx context.Context, userID string) (bool, error)
	DeleteRun(ctx context.Context, userID, runID string) error
}

// Predecessor is the last state of the user's earlier runs, and the policy for following the session.
type Predecessor struct {
	State    kyc.State     `json:"state"`              // its UserID is empty if nothing is known
	Reported *kyc.State    `json:"reported,omitempty"` // the last state that a callback delivered
	Policy   SessionPolicy `json:"policy"`
}

// FindPredecessor asks Temporal for the last state of the user's runs before this one.
func (a *Activities) FindPredecessor(ctx context.Context, in UserInput) (Predecessor, error) {
	last, err := a.predecessor(ctx, in.UserID)
	if err != nil {
		return Predecessor{}, err
	}
	return Predecessor{State: last.State, Reported: last.Reported, Policy: a.policy(last.State.WorkflowID)}, nil
}

// listLag is how long an activity waits for Temporal's list, which is written a moment after the run. A list that still lags
// then has lost the run.
const (
	listLag           = time.Minute
	errorTypeListLags = "TemporalListLags"
)

func (a *Activities) predecessor(ctx context.Context, userID string) (kyc.Snapshot, error) {
	info := activity.GetInfo(ctx)
	last, err := a.Runs.Predecessor(ctx, userID, info.WorkflowExecution.RunID)
	if !errors.Is(err, kyc.ErrListLags) {
		return last, err
	}
	if time.Since(info.ScheduledTime) > listLag {
		return last, nil
	}
	return last, temporal.NewApplicationErrorWithOptions(err.Error(), errorTypeListLags, temporal.ApplicationErrorOptions{
		NextRetryDelay: min(250*time.Millisecond<<min(info.Attempt-1, 5), 5*time.Second),
	})
}

// ForgottenRun reports whether the run that asked is being deleted.
type ForgottenRun struct {
	Erased bool `json:"erased"`
}

// ForgetIfErased deletes the run that calls it if its user has been erased: a late event must leave no trace.
func (a *Activities) ForgetIfErased(ctx context.Context, in UserInput) (ForgottenRun, error) {
	erased, err := a.Runs.Erased(ctx, in.UserID)
	if err != nil || !erased {
		return ForgottenRun{}, err
	}
	return ForgottenRun{Erased: true}, a.Runs.DeleteRun(ctx, in.UserID, activity.GetInfo(ctx).WorkflowExecution.RunID)
}

// DeliverEventInput is an event for the user's verification.
type DeliverEventInput struct {
	UserID string         `json:"user_id"`
	Event  kyc.DiditEvent `json:"event"`
}

// DeliverEvent delivers an event to the user's verification, open or closed, as the webhook does.
func (a *Activities) DeliverEvent(ctx context.Context, in DeliverEventInput) error {
	_, err := a.Runs.Deliver(ctx, in.UserID, in.Event, kyc.Origin{Ours: true})
	return err
}
