package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// Operation carries out an operator's order about a session, whether its verification is open or closed. Its id is
// kyc.OperationID. Except for an erasure it changes nothing but Didit's session: the verification hears of it as of any
// reviewer's decision, and some minutes later it is looked after that somebody heard.
func Operation(ctx workflow.Context, in kyc.Operation) (kyc.OperationResult, error) {
	err := in.Validate()
	if err == nil {
		err = in.ValidateWorkflowID(workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
	if err != nil {
		return kyc.OperationResult{}, temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	if in.Verb == kyc.VerbErase {
		return erase(ctx, in)
	}
	o := &operation{in: in, result: kyc.OperationResult{UserID: in.UserID, Verb: in.Verb, SessionID: in.SessionID}}
	err = o.run(ctx)
	o.publish(ctx, err)
	return o.result, err
}

// operation is an order that is carried out.
type operation struct {
	in     kyc.Operation
	result kyc.OperationResult
	// perhaps is set when a call may have had its effect: its answer was lost.
	perhaps bool
	// done is set when Didit's reviews show that it had, absent when they show no trace of it.
	done, absent bool
	// refusal is Didit's answer to a call that had none.
	refusal error
}

func (o *operation) run(ctx workflow.Context) error {
	if err := o.findSession(ctx); err != nil {
		return err
	}
	if err := o.setStatus(ctx); err != nil || !o.result.Changed {
		return err
	}
	return o.checkLater(ctx)
}

// findSession takes the session of the user's newest verification where the order names none.
func (o *operation) findSession(ctx workflow.Context) error {
	if o.in.SessionID == "" {
		call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueue, "Which session has the user?", firstTurn))
		var found activities.FoundSession
		err := workflow.ExecuteActivity(call, acts.FindSession, activities.FindSessionInput{UserID: o.in.UserID}).Get(ctx, &found)
		if err != nil {
			return err
		}
		o.result.SessionID = found.SessionID
	}
	if o.result.SessionID == "" {
		return refuse("Temporal remembers no verification of user %s that has a session: name the session_id", o.in.UserID)
	}
	o.search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeSessionID).ValueSet(o.result.SessionID))
	return nil
}

// setStatus looks before every call: another reviewer may have been faster, and a call whose answer was lost may have
// had its effect.
func (o *operation) setStatus(ctx workflow.Context) error {
	for tries, moment := 0, firstMoment; ; tries, moment = tries+1, min(2*moment, longestMoment) {
		d, err := o.read(ctx)
		if err != nil {
			return err
		}
		if tries == 0 {
			o.result.Before = d.Status
		}
		if err := o.settle(ctx, d.Status); err != nil {
			return err
		}
		if done, err := o.judge(d.Status); done || err != nil {
			return err
		}
		err = o.tell(ctx)
		if err == nil {
			return o.readBack(ctx)
		}
		delay, err := o.again(moment, err)
		if err != nil {
			return err
		}
		err = workflow.NewTimerWithOptions(ctx, delay, workflow.TimerOptions{Summary: "Then look at Didit, and try again"}).Get(ctx, nil)
		if err != nil {
			return err
		}
	}
}

// tell sends the order, once: whoever sends it again looks first.
func (o *operation) tell(ctx workflow.Context) error {
	status := o.in.Verb.Status()
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** by %s: waiting for a turn under Didit's limit, or for its answer.", o.in.Verb, o.in.Operator))
	options := callOptions(kyc.TaskQueueDiditWrite, "Set "+string(status)+" at Didit", firstTurn)
	options.RetryPolicy.MaximumAttempts = 1
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), acts.SetStatus, o.order()).Get(ctx, nil)
}

func (o *operation) order() activities.SetStatusInput {
	return activities.SetStatusInput{SessionID: o.result.SessionID, Status: o.in.Verb.Status(), Comment: o.in.String()}
}

// readBack reports what Didit made of the order. What was done stays done, whatever Didit answers now.
func (o *operation) readBack(ctx workflow.Context) error {
	o.result.Changed, o.result.After = true, o.in.Verb.Status()
	d, err := o.read(ctx)
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		workflow.GetLogger(ctx).Warn("the status was set, but cannot be read", "session_id", o.result.SessionID, "error", err)
		return nil
	}
	if err == nil {
		o.result.After = d.Status
	}
	return err
}

// read reads Didit's decision and checks that the session is this user's, in this environment, and made by us.
func (o *operation) read(ctx workflow.Context) (d activities.Decision, err error) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** by %s: reading Didit's decision on session %s.", o.in.Verb, o.in.Operator, o.result.SessionID))
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueueDiditRead, "Read Didit's decision", firstTurn, refusals()...))
	err = workflow.ExecuteActivity(call, acts.ReadDecision, activities.ReadDecisionInput{
		SessionID: o.result.SessionID, UserID: o.in.UserID,
	}).Get(ctx, &d)
	switch {
	case err != nil:
	case len(d.Foreign) > 0:
		err = refuse("session %s is not one that we made for user %s in this environment: its %v differ", o.result.SessionID, o.in.UserID, d.Foreign)
	case !d.Status.Known():
		err = refuse("session %s has a status that this program has not heard of", o.result.SessionID)
	}
	return d, err
}

func (o *operation) checkLater(ctx workflow.Context) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID[len(kyc.OperationID(o.in.UserID, o.in.Verb, "")):]
	call := workflow.WithActivityOptions(ctx, callOptions(kyc.TaskQueue, "Have it looked after that everybody heard", firstTurn))
	return workflow.ExecuteActivity(call, acts.CheckLater, activities.CheckLaterInput{
		UserID: o.in.UserID, OperationID: id, SessionID: o.result.SessionID, Status: o.result.After,
	}).Get(ctx, nil)
}

// publish makes the end searchable and tells it on the workflow's page.
func (o *operation) publish(ctx workflow.Context, err error) {
	text := fmt.Sprintf("**Done** by %s: session %s was %s and is %s.", o.in.Operator, o.result.SessionID, o.result.Before, o.result.After)
	switch {
	case err != nil:
		text = fmt.Sprintf("**Not done**, asked by %s: %s.", o.in.Operator, err)
	case o.result.Already:
		text = fmt.Sprintf("**Already %s**: nothing to do for %s.", o.result.After, o.in.Operator)
	}
	workflow.SetCurrentDetails(ctx, text)
	if err == nil {
		o.search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeStatus).ValueSet(string(o.result.After)))
	}
}

func (o *operation) search(ctx workflow.Context, attributes ...temporal.SearchAttributeUpdate) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, attributes...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}
