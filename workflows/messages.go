package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc"
)

// handle sets the handlers of queries and updates, before anything can block.
func (v *verification) handle(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, kyc.QueryState, func() (kyc.State, error) { return v.state.State, nil },
			workflow.QueryHandlerOptions{Description: "The state of the verification."}),
		workflow.SetQueryHandlerWithOptions(ctx, kyc.QueryVerification, v.snapshot, workflow.QueryHandlerOptions{
			Description: "State, the secret link while the person must act, and what was reported last. For programs.",
		}),
		workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateSession, v.askForSession, workflow.UpdateHandlerOptions{
			Description: `Waits for the session and returns the URL that the person must open. Input: {"user_id": "..."}, as for a start.`,
			Validator:   v.mayAskForSession,
		}),
		v.handleOperators(ctx))
}

func (v *verification) snapshot() (kyc.Snapshot, error) {
	s := kyc.Snapshot{State: v.state.State, Reported: v.results.delivered, Reporting: len(v.results.pending) > 0}
	if v.state.PersonMustAct() {
		s.Session = v.session
		s.Session.Status = v.state.Status
	}
	return s, nil
}

func (v *verification) mayAskForSession(in kyc.Input) error {
	err := in.Validate()
	switch {
	case err == nil && in.UserID != v.in.UserID:
		err = fmt.Errorf("%w: user_id is not the user of this workflow", kyc.ErrInvalidInput)
	case err == nil && v.operators.erasing():
		return temporal.NewNonRetryableApplicationError(kyc.Hint(kyc.ErrorTypeErased), kyc.ErrorTypeErased, nil)
	}
	return invalidInput(err)
}

// askForSession answers the update "session". Its failure is the answer to every later caller with the same update id, so
// it fails only where a session was requested and none could be made.
func (v *verification) askForSession(ctx workflow.Context, in kyc.Input) (kyc.Session, error) {
	waits := v.creation.request != nil && !v.state.ended()
	if err := v.await(ctx, v.settled); err != nil {
		return kyc.Session{}, err
	}
	switch {
	case v.operators.erasing(), waits && v.state.ended():
	case in.WantsAnother(v.state.State), v.state.SessionID == "":
		v.creation.request, waits = &in, true
		v.operators.end = nil
	case v.state.PersonMustAct() && workflow.Now(ctx).Sub(v.state.CheckedAt) > kyc.LinkFreshFor:
		if err := v.awaitRead(ctx); err != nil {
			return kyc.Session{}, err
		}
	}
	if err := v.await(ctx, v.settled); err != nil {
		return kyc.Session{}, err
	}
	if waits && v.refusalOf() != "" {
		return kyc.Session{}, temporal.NewNonRetryableApplicationError(kyc.Hint(v.refusalOf()), v.refusalOf(), nil)
	}
	s, err := v.snapshot()
	if s.Session.SessionID == "" { // nothing to do for the person
		s.Session = kyc.Session{SessionID: s.State.SessionID, Status: s.State.Status, WorkflowID: s.State.WorkflowID}
	}
	return s.Session, err
}

// await waits for a condition on behalf of a caller. A run that is cancelled in Temporal still answers callers while it
// delivers its last callback, but only after it has taken note of that.
func (v *verification) await(ctx workflow.Context, condition func() bool) error {
	detached, _ := workflow.NewDisconnectedContext(ctx)
	return workflow.Await(detached, func() bool { return (ctx.Err() == nil || v.operators.stopped) && condition() })
}

// settled reports whether the user's session is known.
func (v *verification) settled() bool {
	if v.operators.erasing() || v.operators.end != nil && !v.state.ended() {
		return v.state.ended()
	}
	recalled := !v.in.Resume || v.results.recalled
	return recalled && v.creation.request == nil && !v.siblings.reselect && !v.state.needsRead
}

// refusalOf is why there is no session although one was requested.
func (v *verification) refusalOf() string {
	switch v.state.Outcome {
	case kyc.OutcomeCancelled:
		return kyc.ErrorTypeCancelled
	case kyc.OutcomeErased:
		return kyc.ErrorTypeErased
	}
	return v.creation.refusal
}

// checkInput refuses an invalid input, and a workflow id that webhooks would not find.
func checkInput(ctx workflow.Context, in kyc.Input) error {
	err := in.Validate() //workflowcheck:ignore // url.Parse is pure; a rule that changes needs a version here
	if id := workflow.GetInfo(ctx).WorkflowExecution.ID; err == nil && id != kyc.WorkflowID(in.UserID) {
		err = fmt.Errorf("%w: the workflow id of user %s must be %s", kyc.ErrInvalidInput, in.UserID, kyc.WorkflowID(in.UserID))
	}
	return invalidInput(err)
}

func invalidInput(err error) error {
	if err == nil {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
}

// refuseInput ends a run that was started with an invalid input. It must not hide the state of earlier runs, so it returns
// that state; if there is none, it fails.
func (v *verification) refuseInput(ctx workflow.Context, err error) (kyc.State, error) {
	if kyc.ValidateUserID(v.in.UserID) != nil || workflow.GetInfo(ctx).WorkflowExecution.ID != kyc.WorkflowID(v.in.UserID) {
		return kyc.State{}, err
	}
	before, recallErr := v.recall(ctx)
	if recallErr != nil || before.State.UserID == "" {
		return kyc.State{}, err
	}
	v.state.State = before.State
	v.publish(ctx)
	workflow.SetCurrentDetails(ctx, "**Refused**: "+err.Error()+". The user's state is as before.")
	return before.State, nil
}
