package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// firstBackoff is how long Didit gets to finish what it may be doing after an answer was lost.
const firstBackoff = 5 * time.Second

// workerDied is Temporal's name for an activity whose worker did not report in time.
const workerDied = "TemporalTimeout:StartToClose"

// createSession lets the workflow see the first time that Didit gives no clear answer, so that the list can tell who waits
// for Didit from who waits in the queue. After that the server tries again by itself, at no cost to the history.
func (v *verification) createSession(
	ctx workflow.Context, in kyc.Input, input activities.CreateSessionInput,
) (made activities.MadeSession, err error) {
	made, err = v.callCreate(ctx, in, input, kyc.ErrorTypeUnavailable, workerDied)
	if !unclear(err) || ctx.Err() != nil {
		return made, err
	}
	v.busy = kyc.WaitingForDidit
	v.publish(ctx)
	backoff := firstBackoff
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		backoff = max(backoff, app.NextRetryDelay())
	}
	err = workflow.NewTimerWithOptions(ctx, backoff, workflow.TimerOptions{Summary: "No clear answer from Didit: then ask again"}).Get(ctx, nil)
	if err != nil {
		return made, err
	}
	return v.callCreate(ctx, in, input)
}

// unclear reports whether a call may have had its effect: Didit's answer was lost or made no sense, or the worker died
// between sending and reporting.
func unclear(err error) bool {
	var timeout *temporal.TimeoutError
	var app *temporal.ApplicationError
	return errors.As(err, &timeout) || errors.As(err, &app) && app.Type() == kyc.ErrorTypeUnavailable
}

// callCreate waits for a create that was sent even if the verification is cancelled, to learn what it made. Temporal's own
// cancellation waits for nothing.
func (v *verification) callCreate(
	ctx workflow.Context, in kyc.Input, input activities.CreateSessionInput, final ...string,
) (made activities.MadeSession, err error) {
	options := callOptions(kyc.TaskQueueDiditWrite, "Create the session at Didit", in.Priority.Key(), append(final, refusals()...)...)
	options.WaitForCancellation = true
	detached, stop := workflow.NewDisconnectedContext(ctx)
	create := workflow.ExecuteActivity(workflow.WithActivityOptions(detached, options), acts.CreateSession, input)
	v.maybeOrphaned = true
	if err := workflow.Await(ctx, create.IsReady); err != nil {
		stop()
		if v.operators.cancelledBy == nil {
			return made, err
		}
	}
	err = create.Get(detached, &made) // one that waits in the queue is gone; one that was sent says what it made
	v.maybeOrphaned = unclear(err)
	if v.operators.cancelledBy != nil && turnedAway(err) {
		err = ctx.Err()
	}
	return made, err
}

// turnedAway reports whether Didit's rate limit refused a call. That ends only calls that were cancelled.
func turnedAway(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == kyc.ErrorTypeRateLimited
}
