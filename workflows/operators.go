package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// operators is what operators have requested of an open verification.
type operators struct {
	requested, served int                 // refreshes, and those that a read of the decision has followed
	stop              workflow.CancelFunc // ends what the run waits for
	end               *endRequest         // nil if none
	stopped           bool                // cancelled in Temporal
	remainder         string              // of a cancelled verification: what is left at Didit
}

// endRequest ends a verification as cancelled, or as erased.
type endRequest struct {
	by    kyc.Operator
	erase bool
}

func (o *operators) erasing() bool { return o.end != nil && o.end.erase }

// handleOperators sets the handlers of the updates that operators send.
func (v *verification) handleOperators(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateRefresh, v.refresh, workflow.UpdateHandlerOptions{
			Description: `Reads Didit's decision now. Input: {"actor": "who", "reason": "a-code:TICKET"}.`, Validator: v.mayRefresh,
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateErase, v.erase, workflow.UpdateHandlerOptions{
			Description: "Ends the verification as erased. Not for people: start an Operation with the verb erase, which also deletes the user's data.",
			Validator:   func(by kyc.EraseRequest) error { return invalidInput(by.Validate(v.in.UserID)) },
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateCancel, v.cancel, workflow.UpdateHandlerOptions{
			Description: `Ends the verification as cancelled. Input: {"actor": "who", "reason": "a-code:TICKET"}.`, Validator: v.mayCancel,
		}))
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

// refresh answers after a read of the decision that began after the request.
func (v *verification) refresh(ctx workflow.Context, _ kyc.Operator) (kyc.State, error) {
	err := v.awaitRead(ctx)
	if err == nil && v.state.decisionUnusable {
		err = refuse("Didit's decision is gone, or not about this user, flow or environment: see the worker's log")
	}
	return v.state.State, err
}

// awaitRead requests a read of the decision, and waits for one that began after the request.
func (v *verification) awaitRead(ctx workflow.Context) error {
	v.operators.requested++
	mine := v.operators.requested
	return v.await(ctx, func() bool { return v.operators.served >= mine || v.state.ended() })
}

// cancel answers once the verification has ended. A verdict of Didit takes precedence: Didit may have it already.
func (v *verification) cancel(ctx workflow.Context, by kyc.Operator) (kyc.State, error) {
	if v.operators.end == nil {
		v.operators.end = &endRequest{by: by}
		v.operators.stop()
		v.describe(ctx)
	}
	err := v.await(ctx, v.state.ended)
	if err == nil && v.state.Outcome != kyc.OutcomeCancelled {
		err = refuse("%s", kyc.HasEnded(v.state.State))
	}
	return v.state.State, err
}

// erase ends the verification, whatever it waits for. From then on it makes no session.
func (v *verification) erase(ctx workflow.Context, by kyc.EraseRequest) (kyc.State, error) {
	if !v.operators.erasing() {
		v.operators.end = &endRequest{by: by.Operator, erase: true}
		v.operators.stop()
	}
	err := v.await(ctx, v.state.ended)
	return v.state.State, err
}

// cancelTimeout is how long a cancelled verification waits for Didit. Then its session is left as it is.
const cancelTimeout = 10 * time.Minute

// cancelAtDidit ends the verification as an operator asked. A session that the person has not opened is deleted; any other
// stays at Didit with its evidence, and a verdict on it is a late update.
func (v *verification) cancelAtDidit(ctx workflow.Context) error {
	v.creation.request, v.siblings.reselect = nil, false
	if v.operators.erasing() {
		return v.endErased(ctx)
	}
	bounded, stop := workflow.WithCancel(ctx)
	v.operators.stop = stop // an erasure does not wait
	workflow.Go(bounded, func(ctx workflow.Context) {
		if pause(ctx, cancelTimeout, "Then stop waiting for Didit") == nil {
			stop()
		}
	})
	v.operators.remainder = "there was no session"
	err := v.findOrphan(bounded)
	if err == nil && v.state.SessionID != "" && !v.state.ended() {
		v.operators.remainder = "its session stays at Didit"
		err = v.clear(bounded)
	}
	stop()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case v.operators.erasing():
		return v.endErased(ctx)
	case v.state.ErrorType == kyc.ErrorTypeNotFound:
		v.operators.remainder = "Didit had deleted its session already"
	case err != nil:
		v.operators.remainder = "Didit did not answer, so a session may be left there"
		workflow.GetLogger(ctx).Warn("cancelled without Didit", "session_id", v.state.SessionID, "error", err)
	}
	if !v.state.ended() {
		lag := v.state.lag
		v.state.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
		v.state.lag = lag // a verdict that Didit has sent, and does not show yet, is stronger
	}
	return nil
}

// cancelNow ends the verification without a call to Didit, when it is cancelled in Temporal itself. A verdict stays, unless
// Didit has sent a newer event that is not confirmed.
func (v *verification) cancelNow(ctx workflow.Context) {
	v.operators.stopped = true
	v.creation.request, v.siblings.reselect, v.siblings.lag = nil, false, lag{}
	if !v.state.ended() || v.state.needsRead {
		v.state.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
}

// findOrphan finds the session that a create may have made, after Didit has had time to finish it.
func (v *verification) findOrphan(ctx workflow.Context) error {
	if !v.creation.maybeOrphaned {
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
	found, _, err := v.choose(ctx, list.Sessions, "", func(m kyc.SessionMetadata) bool { return m.RunID == run && m.Attempt == v.creation.number }, refusals()...)
	if err == nil && found != nil {
		v.creation.maybeOrphaned = false
		v.begin(ctx, found.Session, list.Policy)
	}
	return err
}

// clear deletes the session if Didit's decision says that the person has not opened it. It applies events that come meanwhile.
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
		v.operators.remainder = "its session, which was never opened, is deleted at Didit"
	}
	return err
}

// inFlightTime is how long after its caller has gone Didit may still be making a session.
const inFlightTime = callTimeout + 10*time.Second

// endErased ends an erased verification. It waits only for a create in flight, whose session the erasure must find when it
// continues after the end of this run.
func (v *verification) endErased(ctx workflow.Context) error {
	if v.creation.maybeOrphaned {
		if err := pause(ctx, inFlightTime, "Give Didit time to finish the create whose answer was lost"); err != nil {
			return err
		}
	}
	if !v.state.ended() {
		v.state.end(kyc.OutcomeErased, "", workflow.Now(ctx))
	}
	v.state.needsRead, v.state.lag = false, lag{}
	return nil
}

// cancelling is the current details of a verification that an operator ends.
func (v *verification) cancelling() string {
	switch {
	case v.operators.erasing():
		return fmt.Sprintf("**Erased** by %s: everything about this user is deleted at Didit, and then here.", v.operators.end.by)
	case !v.state.ended():
		return fmt.Sprintf("**Being cancelled** by %s. Next: its session is deleted at Didit if it was never opened.", v.operators.end.by)
	}
	return fmt.Sprintf("**Cancelled** by %s; %s. Next: start the user again when they come back.", v.operators.end.by, v.operators.remainder)
}
