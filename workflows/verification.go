// Package workflows decides: what to do next about a user, when to give up, what to report. It is deterministic and
// does nothing itself; package activities does.
package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// acts names activities by method; it is never called.
var acts *activities.Activities

// Verification verifies one user at Didit. Its id is kyc.WorkflowID of the user. It ends with Didit's verdict, or
// with another outcome of package kyc when there will be none.
func Verification(ctx workflow.Context, in kyc.Input) (kyc.State, error) {
	if err := checkInput(ctx, in); err != nil {
		return kyc.State{}, err
	}
	v := &verification{in: in, record: newRecord(in.UserID, workflow.Now(ctx))}
	if err := v.handle(ctx); err != nil {
		return kyc.State{}, err
	}
	err := v.run(ctx)
	if temporal.IsCanceledError(err) {
		v.record.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
	return v.finish(ctx, err)
}

// verification is a running workflow: what it knows, and what it has told the world.
type verification struct {
	in        kyc.Input
	record    record
	session   kyc.Session
	settings  activities.CreatedSession
	busy      kyc.WaitingFor // set while an activity runs
	timing    bool           // a deadline timer runs
	published attributes
}

// run is the story: get a session, then follow it until Didit has decided or the user's time is up.
func (v *verification) run(ctx workflow.Context) error {
	if err := v.createSession(ctx); err != nil || v.record.ended() {
		return err
	}
	for {
		v.takeEvents(ctx)
		overdue := v.overdue(ctx)
		switch {
		case v.record.doubt || overdue:
			if err := v.readDecision(ctx); err != nil {
				return err
			}
			if overdue && v.overdue(ctx) { // the last look found a user who still has to act
				v.record.timeUp(workflow.Now(ctx))
			}
		case v.record.ended():
			return nil
		default:
			if err := v.awaitNews(ctx); err != nil {
				return err
			}
		}
	}
}

// awaitNews sleeps until an event arrives or the user's time is up.
func (v *verification) awaitNews(ctx workflow.Context) error {
	v.startTimer(ctx)
	v.publish(ctx)
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	return workflow.Await(ctx, func() bool {
		return events.Len() > 0 || v.record.userMustAct() && !v.timing
	})
}

// takeEvents takes in all events that have arrived.
func (v *verification) takeEvents(ctx workflow.Context) {
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	for {
		var ev kyc.DiditEvent
		if !events.ReceiveAsync(&ev) {
			return
		}
		v.record.apply(ev, workflow.Now(ctx))
	}
}

// deadline is when the user's time to act is over.
func (v *verification) deadline() time.Time {
	return v.record.asked.Add(time.Duration(v.settings.DeadlineSeconds) * time.Second)
}

func (v *verification) overdue(ctx workflow.Context) bool {
	return v.record.userMustAct() && !workflow.Now(ctx).Before(v.deadline())
}

// startTimer starts the deadline timer unless one runs or nobody has to act. One that runs is never cancelled: when
// it fires and the deadline has moved on, another one takes over. Cancelling would cost two events a time.
func (v *verification) startTimer(ctx workflow.Context) {
	if v.timing || !v.record.userMustAct() {
		return
	}
	v.timing = true
	timer := workflow.NewTimerWithOptions(ctx, v.deadline().Sub(workflow.Now(ctx)), workflow.TimerOptions{
		Summary: "The user's time to act",
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		_ = timer.Get(ctx, nil) // fails only when the workflow is cancelled, which awaitNews sees too
		v.timing = false
	})
}

// handle sets the handlers of the query and the update, before anything can block.
func (v *verification) handle(ctx workflow.Context) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, kyc.QueryState, func() (kyc.State, error) { return v.record.state, nil },
		workflow.QueryHandlerOptions{Description: "How the verification stands."})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateSession, v.sessionOnceMade,
		workflow.UpdateHandlerOptions{Description: "Waits for the session and returns the URL that the person must open."})
}

// sessionOnceMade answers the update "session". A failure here is the answer to every later caller, so it only fails
// when the verification is over without a session.
func (v *verification) sessionOnceMade(ctx workflow.Context) (kyc.Session, error) {
	if err := workflow.Await(ctx, func() bool { return v.session.URL != "" || v.record.ended() }); err != nil {
		return kyc.Session{}, err
	}
	if v.session.URL == "" {
		kind := v.record.state.ErrorType
		return kyc.Session{}, temporal.NewNonRetryableApplicationError(kyc.Hint(kind), kind, nil)
	}
	s := v.session
	s.Status = v.record.state.Status
	return s, nil
}

// finish says the last word, lets callers have their answers, and closes the workflow.
func (v *verification) finish(ctx workflow.Context, err error) (kyc.State, error) {
	detached, _ := workflow.NewDisconnectedContext(ctx)
	v.publish(detached)
	if waitErr := workflow.Await(detached, func() bool { return workflow.AllHandlersFinished(detached) }); waitErr != nil {
		return v.record.state, waitErr
	}
	return v.record.state, err
}

// checkInput refuses what no verification can work with, and a workflow that webhooks would not find.
func checkInput(ctx workflow.Context, in kyc.Input) error {
	err := in.Validate()
	if id := workflow.GetInfo(ctx).WorkflowExecution.ID; err == nil && id != kyc.WorkflowID(in.UserID) {
		err = fmt.Errorf("%w: the workflow id of user %s must be %s", kyc.ErrInvalidInput, in.UserID, kyc.WorkflowID(in.UserID))
	}
	if err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	return nil
}
