package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// callTimeout is for one call, once a worker has taken it. Nothing bounds the time before: waiting for the rate limit
// is not failing.
const callTimeout = 20 * time.Second

// A person waits for the first kind of call, nobody for the last.
const (
	firstTurn = kyc.TurnInteractive
	lastTurn  = kyc.TurnLook
)

// callOptions are the options of a call that is tried again until an error of one of the final types, at the pace that
// Didit recommends: 5, 10, 20, 40 seconds (docs.didit.me/integration/rate-limiting). A call that no limit holds back is
// handed to the worker together with the answer to its workflow task, which saves the way through the queue.
func callOptions(queue, summary string, priority int, final ...string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:             queue,
		StartToCloseTimeout:   callTimeout,
		DisableEagerExecution: queue != kyc.TaskQueue,
		Priority:              temporal.Priority{PriorityKey: priority},
		Summary:               summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        5 * time.Second,
			BackoffCoefficient:     2,
			MaximumInterval:        5 * time.Minute,
			NonRetryableErrorTypes: final,
		},
	}
}

// refusals are the errors that no waiting mends, while a person waits for the URL.
func refusals() []string {
	return []string{kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeNotFound}
}

// readDecision asks Didit how the session stands, and reports whether the answer could be used. Only a 404 is final: a
// key that is mended later must find the verdict.
func (v *verification) readDecision(ctx workflow.Context) (usable bool, err error) {
	priority, summary := lastTurn, "Look at Didit's decision, as no webhook came"
	if v.record.doubt || v.refreshAsked() {
		priority, summary = firstTurn, "Read Didit's decision"
		v.busy = kyc.WaitingForDidit
		v.publish(ctx)
	}
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueueDiditRead, summary, priority, kyc.ErrorTypeNotFound))
	var d activities.Decision
	err = workflow.ExecuteActivity(call, acts.ReadDecision, activities.ReadDecisionInput{
		SessionID: v.record.state.SessionID, UserID: v.in.UserID, WorkflowID: v.terms.WorkflowID, Environment: v.terms.Environment,
	}).Get(ctx, &d)
	v.busy = ""
	var refused *temporal.ApplicationError
	if err != nil && !errors.As(err, &refused) {
		return false, err
	}
	if refused != nil {
		if gone, err := v.sessionGone(ctx); err != nil || gone {
			return false, err
		}
	}
	usable = v.record.settle(d, workflow.Now(ctx)) // the zero Decision says nothing
	if !usable {
		workflow.GetLogger(ctx).Error("Didit's decision cannot be used", "session_id", v.record.state.SessionID,
			"error", err, "foreign", d.Foreign)
	}
	return usable, nil
}

// sessionGone ends the verification as cancelled if the session that Didit's decision endpoint does not know is not in
// the user's list either: somebody deleted it. One that is listed is only out of the key's sight.
func (v *verification) sessionGone(ctx workflow.Context) (bool, error) {
	if v.results.ended && v.record.ended() { // a verdict that was told outlives its session, as it does after the workflow's end
		v.record.doubt = false
		return true, nil
	}
	list, err := v.listSessions(ctx)
	var refused *temporal.ApplicationError
	if err != nil && !errors.As(err, &refused) {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // a list that Didit refuses says nothing about the session
	}
	for _, s := range list.Sessions {
		if s.SessionID == v.record.state.SessionID {
			return false, nil
		}
	}
	workflow.GetLogger(ctx).Error("Didit has deleted the session", "session_id", v.record.state.SessionID)
	v.record.doubt = false
	v.record.end(kyc.OutcomeCancelled, kyc.ErrorTypeNotFound, workflow.Now(ctx))
	return true, nil
}
