package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Operation carries out an operator action on a session, whether its verification is open or closed. Its id is
// kyc.OperationID. Except for an erasure it changes Didit's session, and delivers the change to the user's verification as a
// webhook would.
func Operation(ctx workflow.Context, in kyc.Operation) (kyc.OperationResult, error) {
	err := in.Validate()
	if err == nil {
		err = in.ValidateWorkflowID(workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
	if err != nil {
		return kyc.OperationResult{}, invalidInput(err)
	}
	if in.Verb == kyc.VerbErase {
		return erase(ctx, in)
	}
	o := &operation{in: in, result: kyc.OperationResult{UserID: in.UserID, Verb: in.Verb, SessionID: in.SessionID}}
	err = o.run(ctx)
	o.publish(ctx, err)
	return o.result, err
}

// operation is the state of an action.
type operation struct {
	in     kyc.Operation
	result kyc.OperationResult
	// unclear is set when the answer of a call was lost, which may have had its effect.
	unclear bool
	// done is set when Didit's reviews show the effect, absent when they do not.
	done, absent bool
	// refusal is Didit's answer to a call that it refused.
	refusal error
}

func (o *operation) run(ctx workflow.Context) error {
	if err := o.begin(ctx); err != nil {
		return err
	}
	if err := o.setStatus(ctx); err != nil || !o.result.Changed {
		return err
	}
	return o.deliverEvent(ctx)
}

// begin refuses an action that ran before, and takes the session of the user's newest verification where it names none.
func (o *operation) begin(ctx workflow.Context) error {
	begun, err := call(ctx, callOptions(kyc.TaskQueue, "Did this action run before? Which session has the user?", firstPriority), acts.BeginOperation,
		activities.BeginOperationInput{UserID: o.in.UserID, SessionID: o.in.SessionID})
	if err != nil {
		return err
	}
	o.result.SessionID = begun.SessionID
	switch {
	case begun.Repeated:
		return refuse("this action ran before under the same workflow id, and an action runs once: start a new one")
	case begun.SessionID == "":
		return refuse("Temporal remembers no verification of user %s that has a session: name the session_id", o.in.UserID)
	}
	search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeSessionID).ValueSet(o.result.SessionID))
	return nil
}

// setStatus reads the decision before every call: another reviewer may have acted first, and a call whose answer was lost may
// have had its effect.
func (o *operation) setStatus(ctx workflow.Context) error {
	for tries, backoff := 0, firstBackoff; ; tries, backoff = tries+1, min(2*backoff, longestOperationBackoff) {
		d, err := o.read(ctx)
		if err != nil {
			return err
		}
		if tries == 0 {
			o.result.Before = d.Status
		}
		if err := o.findLostReview(ctx, d.Status); err != nil {
			return err
		}
		if done, err := o.judge(d.Status); done || err != nil {
			return err
		}
		err = o.send(ctx)
		if err == nil {
			return o.readBack(ctx)
		}
		delay, err := o.again(backoff, err)
		if err != nil {
			return err
		}
		if err := pause(ctx, delay, "Then read Didit's decision, and try again"); err != nil {
			return err
		}
	}
}

// send sends the action to Didit, once: before it is sent again, the decision is read.
func (o *operation) send(ctx workflow.Context) error {
	status := o.in.Verb.Status()
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** by %s: waiting in the queue for Didit, or for its answer.", o.in.Verb, o.in.Operator))
	options := callOptions(kyc.TaskQueueDiditWrite, "Set "+string(status)+" at Didit", firstPriority)
	options.RetryPolicy.MaximumAttempts = 1
	return perform(ctx, options, acts.SetStatus, o.input(ctx))
}

func (o *operation) input(ctx workflow.Context) activities.SetStatusInput {
	return activities.SetStatusInput{
		SessionID: o.result.SessionID, Status: o.in.Verb.Status(), Comment: o.in.String(), RunID: originalRun(ctx),
	}
}

// readBack reads the status after the action. An error of Didit does not undo what was done.
func (o *operation) readBack(ctx workflow.Context) error {
	o.result.Changed, o.result.After = true, o.in.Verb.Status()
	d, err := o.read(ctx)
	if failureType(err) != "" {
		workflow.GetLogger(ctx).Warn("the status was set, but cannot be read", "session_id", o.result.SessionID, "error", err)
		return nil
	}
	if err == nil {
		o.result.After = d.Status
	}
	return err
}

// read reads Didit's decision and checks that the session is this user's, in this environment, and made by this deployment.
func (o *operation) read(ctx workflow.Context) (d activities.Decision, err error) {
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s** by %s: reading Didit's decision on session %s.", o.in.Verb, o.in.Operator, o.result.SessionID))
	d, err = call(ctx, callOptions(kyc.TaskQueueDiditRead, "Read Didit's decision", firstPriority, refusals()...), acts.ReadDecision,
		activities.ReadDecisionInput{SessionID: o.result.SessionID, UserID: o.in.UserID, Ours: o.in.SessionID != ""})
	switch {
	case err != nil:
	case len(d.Foreign) > 0:
		err = refuse("session %s is not one that we made for user %s in this environment: its %v differ", o.result.SessionID, o.in.UserID, d.Foreign)
	case !d.Status.Known():
		err = refuse("session %s has a status that this program does not know: upgrade it", o.result.SessionID)
	}
	return d, err
}

// deliverEvent delivers the new status to the user's verification. Didit's time of the change is unknown, so the event has no
// time.
func (o *operation) deliverEvent(ctx workflow.Context) error {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID[len(kyc.OperationID(o.in.UserID, o.in.Verb, "")):]
	return perform(ctx, callOptions(kyc.TaskQueue, "Deliver the new status to the user's verification", firstPriority), acts.DeliverEvent,
		activities.DeliverEventInput{UserID: o.in.UserID, Event: kyc.DiditEvent{
			EventID: id, Type: didit.EventStatusUpdated, SessionID: o.result.SessionID, Status: o.result.After,
		}})
}

// longestOperationBackoff bounds the delay between two tries of an action.
const longestOperationBackoff = 5 * time.Minute

// publish sets the search attribute and the current details of a finished action.
func (o *operation) publish(ctx workflow.Context, err error) {
	text := fmt.Sprintf("**Done** by %s: session %s was %s and is %s.", o.in.Operator, o.result.SessionID, o.result.Before, o.result.After)
	switch {
	case err != nil:
		text = fmt.Sprintf("**Not done**, requested by %s: %s.", o.in.Operator, err)
	case o.result.Already:
		text = fmt.Sprintf("**Already %s**: nothing to do for %s.", o.result.After, o.in.Operator)
	}
	workflow.SetCurrentDetails(ctx, text)
	if err == nil {
		search(ctx, temporal.NewSearchAttributeKeyKeyword(kyc.AttributeStatus).ValueSet(string(o.result.After)))
	}
}
