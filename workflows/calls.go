package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// callTimeout is for one call to Didit, once a worker has taken it. Nothing bounds the time before: waiting for the
// rate limit is not failing.
const callTimeout = 20 * time.Second

// createSession gets the user a session. What Didit finally refuses ends the verification as failed.
func (v *verification) createSession(ctx workflow.Context) error {
	v.busy = kyc.WaitingForLimit
	v.publish(ctx)
	call := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:             kyc.TaskQueueDiditWrite,
		StartToCloseTimeout:   callTimeout,
		DisableEagerExecution: true,
		RetryPolicy: retryUnless(kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeNotFound,
			kyc.ErrorTypeInvalidInput),
		Priority: priorityOf(v.in.Priority),
		Summary:  "Create the session at Didit",
	})
	err := workflow.ExecuteActivity(call, acts.CreateSession, activities.CreateSessionInput{
		UserID: v.in.UserID, WorkflowID: v.in.WorkflowID, Language: v.in.Language, ReturnURL: v.in.ReturnURL, Attempt: 1,
	}).Get(ctx, &v.settings)
	v.busy = ""
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		v.record.end(kyc.OutcomeFailed, refused.Type(), workflow.Now(ctx))
		return nil
	}
	if err != nil {
		return err
	}
	v.session = v.settings.Session
	v.settings.Session = kyc.Session{}
	v.record.begin(v.session, workflow.Now(ctx))
	return nil
}

// readDecision asks Didit how the session stands. An answer that does not help leaves the record as it is: a later
// event or the deadline asks again.
func (v *verification) readDecision(ctx workflow.Context) error {
	v.busy = kyc.WaitingForDidit
	v.publish(ctx)
	call := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:             kyc.TaskQueueDiditRead,
		StartToCloseTimeout:   callTimeout,
		DisableEagerExecution: true,
		RetryPolicy:           retryUnless(kyc.ErrorTypeNotFound), // a key that is mended later must find the verdict
		Summary:               "Read Didit's decision",
	})
	var d activities.Decision
	err := workflow.ExecuteActivity(call, acts.ReadDecision, activities.ReadDecisionInput{
		SessionID: v.record.state.SessionID, UserID: v.in.UserID,
		WorkflowID: v.settings.WorkflowID, Environment: v.settings.Environment,
	}).Get(ctx, &d)
	v.busy = ""
	var refused *temporal.ApplicationError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	if err != nil || len(d.Foreign) > 0 {
		workflow.GetLogger(ctx).Error("Didit's decision cannot be used", "session_id", v.record.state.SessionID,
			"error", err, "foreign", d.Foreign)
	}
	v.record.settle(d, workflow.Now(ctx)) // the zero Decision says nothing
	return nil
}

// retryUnless tries again, at Didit's recommended pace of 5, 10, 20, 40 seconds
// (docs.didit.me/integration/rate-limiting), until an error of one of the types says that it is final.
func retryUnless(final ...string) *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:        5 * time.Second,
		BackoffCoefficient:     2,
		MaximumInterval:        5 * time.Minute,
		NonRetryableErrorTypes: final,
	}
}

// priorityOf puts a batch behind the people who look at a screen; 3 is Temporal's default.
func priorityOf(p kyc.Priority) temporal.Priority {
	if p == kyc.PriorityBulk {
		return temporal.Priority{PriorityKey: 4}
	}
	return temporal.Priority{PriorityKey: 2}
}
