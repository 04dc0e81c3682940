package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// firstBackoff is how long Didit gets to finish a call whose answer was lost.
const firstBackoff = 5 * time.Second

// workerDied is Temporal's name for an activity whose worker did not report in time.
const workerDied = "TemporalTimeout:StartToClose"

// createSession returns to the workflow after Didit's first unclear answer, so that search attributes distinguish users who
// wait for Didit from users who wait in the queue. After that the server retries, at no cost to the history.
func (v *verification) createSession(
	ctx workflow.Context, in kyc.Input, input activities.CreateSessionInput,
) (made activities.MadeSession, err error) {
	made, err = v.callCreate(ctx, in, input, kyc.ErrorTypeUnavailable, workerDied)
	if !unclear(err) {
		return made, err
	}
	v.creation.waitingFor = kyc.WaitingForDidit
	v.publish(ctx)
	backoff := firstBackoff
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		backoff = max(backoff, app.NextRetryDelay())
	}
	if err := pause(ctx, backoff, "No clear answer from Didit: then try again"); err != nil {
		return made, err
	}
	input.Known = nil // Didit may have returned one of them, and it is ours now
	return v.callCreate(ctx, in, input)
}

// unclear reports whether a call may have had its effect: Didit's answer was lost or made no sense, or the worker died
// between sending and reporting.
func unclear(err error) bool {
	_, timeout := errors.AsType[*temporal.TimeoutError](err)
	return timeout || failureType(err) == kyc.ErrorTypeUnavailable
}

// callCreate waits for a create that was sent even if an operator cancels the verification, to learn what it made. It does
// not wait when the run is cancelled in Temporal.
func (v *verification) callCreate(
	ctx workflow.Context, in kyc.Input, input activities.CreateSessionInput, final ...string,
) (made activities.MadeSession, err error) {
	options := callOptions(kyc.TaskQueueDiditWrite, "Create the session at Didit", in.Priority.Key(), append(final, refusals()...)...)
	options.WaitForCancellation = true
	detached, stop := workflow.NewDisconnectedContext(ctx)
	create := workflow.ExecuteActivity(workflow.WithActivityOptions(detached, options), acts.CreateSession, input)
	v.creation.maybeOrphaned = true
	if err := workflow.Await(ctx, create.IsReady); err != nil {
		stop()
		if v.operators.end == nil {
			return made, err
		}
	}
	err = create.Get(detached, &made) // a queued one is gone; one that was sent returns what it made
	v.creation.maybeOrphaned = unclear(err)
	if err != nil && ctx.Err() != nil { // a cancelled call returns the error of its last attempt
		err = ctx.Err()
	}
	return made, err
}
