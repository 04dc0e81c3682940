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

// orders is what operators have asked an open verification for.
type orders struct {
	// asked counts the refreshes, answered those that a look at Didit has followed.
	asked, answered int
	// cancelledBy is set when the verification is to end as cancelled; stop then ends what it waits for.
	cancelledBy *kyc.Operator
	stop        workflow.CancelFunc
	// erasing is set when it is to end as erased; cancelledBy is set then too.
	erasing bool
	// over is set when the verification ends, however it ends; stopped if Temporal's own button ended it.
	over, stopped bool
	// left says what became of the session of a cancelled verification.
	left string
}

func (o *orders) refreshAsked() bool { return o.answered < o.asked }

// handleOperators sets the handlers of the updates that operators send.
func (v *verification) handleOperators(ctx workflow.Context) error {
	err := workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateRefresh, v.refresh, workflow.UpdateHandlerOptions{
		Description: `Reads Didit's decision now. Input: {"actor": "who", "reason": "a-code:TICKET"}.`, Validator: v.mayRefresh,
	})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateErase, v.erase, workflow.UpdateHandlerOptions{
		Description: "Ends the verification as erased. Not for people: start an Operation with the verb erase, which does the rest.", Validator: v.mayErase,
	})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateCancel, v.cancel, workflow.UpdateHandlerOptions{
		Description: `Ends the verification as cancelled. Input: {"actor": "who", "reason": "a-code:TICKET"}.`, Validator: v.mayCancel,
	})
}

func (v *verification) mayRefresh(by kyc.Operator) error {
	if err := v.mayCancel(by); err != nil {
		return err
	}
	if v.record.state.SessionID == "" {
		return refuse("there is no session at Didit yet")
	}
	return nil
}

func (v *verification) mayCancel(by kyc.Operator) error {
	if err := by.Validate(); err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	if v.record.ended() {
		return refuse("%s", kyc.HasEnded(v.record.state))
	}
	return nil
}

// refresh answers once a look at Didit that began after it has ended.
func (v *verification) refresh(ctx workflow.Context, _ kyc.Operator) (kyc.State, error) {
	v.asked++
	mine := v.asked
	err := workflow.Await(ctx, func() bool { return v.answered >= mine || v.record.ended() || v.over })
	if err == nil && v.record.trouble {
		err = refuse("Didit's decision is gone, or not about this user, flow or environment; the worker's log says which")
	}
	return v.record.state, err
}

// cancel answers once the verification has ended. Didit's verdict is stronger: it may be there already.
func (v *verification) cancel(ctx workflow.Context, by kyc.Operator) (kyc.State, error) {
	if v.cancelledBy == nil {
		v.cancelledBy = &by
		v.stop()
		v.describe(ctx)
	}
	err := workflow.Await(ctx, func() bool { return v.record.ended() || v.over })
	if err == nil && v.record.state.Outcome != kyc.OutcomeCancelled {
		err = refuse("%s", kyc.HasEnded(v.record.state))
	}
	return v.record.state, err
}

// cancelPatience is how long a cancelled verification waits for Didit. Then its session is left as it is.
const cancelPatience = 10 * time.Minute

// giveUp ends the verification as an operator asked. A session that nobody has opened is deleted; any other stays at
// Didit with its evidence, and what becomes of it is news after the end.
func (v *verification) giveUp(ctx workflow.Context) error {
	if v.erasing {
		return v.vanish(ctx)
	}
	patient, stop := workflow.WithCancel(ctx)
	v.stop = stop // an erasure is in a hurry
	workflow.Go(ctx, func(ctx workflow.Context) {
		late := workflow.NewTimerWithOptions(ctx, cancelPatience, workflow.TimerOptions{Summary: "Then Didit is not waited for"})
		if late.Get(ctx, nil) == nil {
			stop()
		}
	})
	v.left = "there was no session"
	err := v.adoptUnseen(patient)
	if err == nil && v.record.state.SessionID != "" {
		v.left = "its session stays at Didit"
		err = v.clear(patient)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if v.erasing {
		return v.vanish(ctx)
	}
	switch {
	case v.record.state.ErrorType == kyc.ErrorTypeNotFound:
		v.left = "somebody had deleted its session at Didit"
	case err != nil:
		v.left = "Didit could not be asked, so a session may be left there"
		workflow.GetLogger(ctx).Warn("cancelled without Didit", "session_id", v.record.state.SessionID, "error", err)
	}
	v.record.doubt = false
	if !v.record.ended() {
		v.record.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
	return nil
}

// stopNow ends the verification without asking Didit, as Temporal's own button demands. A verdict stays, unless Didit has
// said something newer that nobody has confirmed.
func (v *verification) stopNow(ctx workflow.Context) {
	if !v.record.ended() || v.record.doubt {
		v.record.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
	v.stopped, v.record.doubt = true, false
}

// adoptUnseen looks for a session that a create may have made, once Didit has had a moment to finish it.
func (v *verification) adoptUnseen(ctx workflow.Context) error {
	if !v.unseen {
		return nil
	}
	if err := workflow.Sleep(ctx, firstMoment); err != nil {
		return err
	}
	adopted, err := v.findSession(ctx)
	if err == nil && adopted.Ours {
		v.begun(ctx, adopted.MadeSession)
	}
	return err
}

// clear deletes the session if Didit itself says that nobody has opened it. Events that come meanwhile are looked into.
func (v *verification) clear(ctx workflow.Context) error {
	v.record.doubt = true
	for v.record.doubt && !v.record.ended() {
		if usable, err := v.readDecision(ctx); err != nil || !usable {
			return err
		}
		v.takeEvents(ctx)
	}
	if v.record.ended() || v.record.state.Status != didit.StatusNotStarted {
		return nil
	}
	options := callOptions(kyc.TaskQueueDiditWrite, "Delete the session that nobody opened", firstTurn, refusals()...)
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), acts.DeleteSession,
		activities.DeleteSessionInput{SessionID: v.record.state.SessionID}).Get(ctx, nil)
	if err == nil {
		v.left = "its session, which nobody had opened, is deleted at Didit"
	}
	return err
}

// cancelling is the sentence on the page of a verification that an operator cancels.
func (v *verification) cancelling() string {
	switch {
	case v.erasing:
		return fmt.Sprintf("**Erased** by %s: everything about this user is deleted at Didit, and then here.", v.cancelledBy)
	case !v.record.ended():
		return fmt.Sprintf("**Being cancelled** by %s. Next: its session is deleted at Didit if nobody has opened it.", v.cancelledBy)
	case v.record.state.Outcome != kyc.OutcomeCancelled:
		return ending(v.record.state)
	}
	return fmt.Sprintf("**Cancelled** by %s; %s. Next: start the user again when they come back.", v.cancelledBy, v.left)
}
