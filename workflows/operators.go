package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// operators is what operators have asked an open verification for.
type operators struct {
	asked, answered int                 // refreshes, and those that a read of the decision has followed
	stop            workflow.CancelFunc // ends what the run waits for
	cancelledBy     *kyc.Operator       // ends the verification as cancelled
	erasing         bool                // ends it as erased
	left            string              // what became of the session of a cancelled verification
}

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
	if v.state.SessionID == "" {
		return refuse("there is no session at Didit yet")
	}
	return nil
}

func (v *verification) mayCancel(by kyc.Operator) error {
	if err := by.Validate(); err != nil {
		return invalidInput(err)
	}
	if v.state.ended() {
		return refuse("%s", kyc.HasEnded(v.state.State))
	}
	return nil
}

func (v *verification) mayErase(by kyc.EraseRequest) error {
	return invalidInput(by.Validate(v.in.UserID))
}

// refresh answers once a read of the decision that began after it has ended.
func (v *verification) refresh(ctx workflow.Context, _ kyc.Operator) (kyc.State, error) {
	v.operators.asked++
	mine := v.operators.asked
	err := workflow.Await(ctx, func() bool { return v.operators.answered >= mine || v.state.ended() })
	if err == nil && v.state.decisionUnusable {
		err = refuse("Didit's decision is gone, or not about this user, flow or environment: see the worker's log")
	}
	return v.state.State, err
}

// cancel answers once the verification has ended. Didit's verdict is stronger: it may be there already.
func (v *verification) cancel(ctx workflow.Context, by kyc.Operator) (kyc.State, error) {
	if v.operators.cancelledBy == nil {
		v.operators.cancelledBy = &by
		v.operators.stop()
		v.describe(ctx)
	}
	err := workflow.Await(ctx, v.state.ended)
	if err == nil && v.state.Outcome != kyc.OutcomeCancelled {
		err = refuse("%s", kyc.HasEnded(v.state.State))
	}
	return v.state.State, err
}

// erase ends the verification, whatever it waits for. From then on it makes no session.
func (v *verification) erase(ctx workflow.Context, by kyc.EraseRequest) (kyc.State, error) {
	if !v.operators.erasing {
		v.operators.erasing, v.operators.cancelledBy = true, &by.Operator
		v.operators.stop()
	}
	err := workflow.Await(ctx, v.state.ended)
	return v.state.State, err
}

// cancelTimeout is how long a cancelled verification waits for Didit. Then its session is left as it is.
const cancelTimeout = 10 * time.Minute

// cancelAtDidit ends the verification as an operator asked. A session that the person has not opened is deleted; any other
// stays at Didit with its evidence, and a verdict on it is a late update.
func (v *verification) cancelAtDidit(ctx workflow.Context) error {
	v.request, v.reselect = nil, false
	if v.operators.erasing {
		return v.endErased(ctx)
	}
	bounded, stop := workflow.WithCancel(ctx)
	v.operators.stop = stop // an erasure does not wait
	workflow.Go(bounded, func(ctx workflow.Context) {
		late := workflow.NewTimerWithOptions(ctx, cancelTimeout, workflow.TimerOptions{Summary: "Then stop waiting for Didit"})
		if late.Get(ctx, nil) == nil {
			stop()
		}
	})
	v.operators.left = "there was no session"
	err := v.findOrphan(bounded)
	if err == nil && v.state.SessionID != "" && !v.state.ended() {
		v.operators.left = "its session stays at Didit"
		err = v.clear(bounded)
	}
	stop()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case v.operators.erasing:
		return v.endErased(ctx)
	case v.state.ErrorType == kyc.ErrorTypeNotFound:
		v.operators.left = "Didit had deleted its session already"
	case err != nil:
		v.operators.left = "Didit did not answer, so a session may be left there"
		workflow.GetLogger(ctx).Warn("cancelled without Didit", "session_id", v.state.SessionID, "error", err)
	}
	if !v.state.ended() {
		v.state.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
	return nil
}

// cancelNow ends the verification without asking Didit, as Temporal's own button demands. A verdict stays, unless Didit has
// sent something newer that is not confirmed.
func (v *verification) cancelNow(ctx workflow.Context) {
	v.request, v.reselect, v.relook = nil, false, lag{}
	if !v.state.ended() || v.state.needsRead {
		v.state.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
}

// findOrphan looks for a session that a create may have made, once Didit has had time to finish it.
func (v *verification) findOrphan(ctx workflow.Context) error {
	if !v.maybeOrphaned {
		return nil
	}
	if err := workflow.Sleep(ctx, firstBackoff); err != nil {
		return err
	}
	list, err := v.listSessions(ctx, refusals()...)
	if err != nil {
		return err
	}
	run := originalRun(ctx)
	found, _, err := v.choose(ctx, list.Sessions, "", func(m kyc.SessionMetadata) bool { return m.RunID == run && m.Attempt == v.requested }, refusals()...)
	if err == nil && found != nil {
		v.maybeOrphaned = false
		v.begin(ctx, found.Session, list.Policy)
	}
	return err
}

// clear deletes the session if Didit itself says that the person has not opened it. Events that come meanwhile are judged.
func (v *verification) clear(ctx workflow.Context) error {
	v.state.needsRead = true
	for v.state.needsRead && !v.state.ended() {
		usable, err := v.readDecision(ctx, false)
		if err != nil || !usable {
			return err
		}
		v.takeEvents(ctx)
	}
	if v.state.ended() || v.state.Status != didit.StatusNotStarted {
		return nil
	}
	err := v.deleteSession(ctx, v.state.SessionID)
	if err == nil {
		v.operators.left = "its session, which was never opened, is deleted at Didit"
	}
	return err
}

// settleTime is how long after its caller has gone Didit may still be making a session.
const settleTime = callTimeout + 10*time.Second

// endErased ends an erased verification. What it knows of Didit matters no more, but for a session that may just have been
// made: the erasure, which goes on when this run has ended, must find it.
func (v *verification) endErased(ctx workflow.Context) error {
	if v.maybeOrphaned {
		err := workflow.NewTimerWithOptions(ctx, settleTime, workflow.TimerOptions{Summary: "Give Didit time to finish the create whose answer was lost"}).Get(ctx, nil)
		if err != nil {
			return err
		}
	}
	if !v.state.ended() {
		v.state.end(kyc.OutcomeErased, "", workflow.Now(ctx))
	}
	v.state.needsRead, v.state.lag = false, lag{}
	return nil
}

// cancelling is the sentence on the page of a verification that an operator cancels.
func (v *verification) cancelling() string {
	switch {
	case v.operators.erasing:
		return fmt.Sprintf("**Erased** by %s: everything about this user is deleted at Didit, and then here.", v.operators.cancelledBy)
	case !v.state.ended():
		return fmt.Sprintf("**Being cancelled** by %s. Next: its session is deleted at Didit if it was never opened.", v.operators.cancelledBy)
	}
	return fmt.Sprintf("**Cancelled** by %s; %s. Next: start the user again when they come back.", v.operators.cancelledBy, v.operators.left)
}
