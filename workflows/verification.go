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
	v := &verification{in: in, record: newRecord(in.UserID, workflow.Now(ctx)), published: publishedByStarter(ctx)}
	running, stop := workflow.WithCancel(ctx)
	v.stop = stop
	if err := v.handle(ctx); err != nil {
		return kyc.State{}, err
	}
	err := v.run(running)
	if v.cancelledBy != nil && temporal.IsCanceledError(err) && ctx.Err() == nil {
		err = v.giveUp(ctx)
	}
	if temporal.IsCanceledError(err) {
		v.stopNow(ctx)
	}
	if o := v.record.state.Outcome; o == kyc.OutcomeCancelled || o == kyc.OutcomeErased {
		v.reportUnasked(ctx)
	}
	v.over = true
	return v.finish(ctx, err)
}

// verification is a running workflow: what it knows, and what it has told the world.
type verification struct {
	in        kyc.Input
	record    record
	session   kyc.Session
	terms     activities.Terms
	looks     schedule
	timers    timers
	busy      kyc.WaitingFor // set while an activity runs
	late      bool           // the review has waited for too long
	published attributes
	unseen    bool // a create may have made a session that nobody has seen
	silent    bool // Didit does not answer, and the list says so
	orders
	results  results
	measured measured
}

// run is the story: get a session, then follow it until Didit has decided or the user's time is up.
func (v *verification) run(ctx workflow.Context) error {
	if err := v.getSession(ctx); err != nil || v.record.ended() {
		return err
	}
	for {
		v.takeEvents(ctx)
		v.report(ctx)
		switch now := v.timers.now(ctx); {
		case v.record.doubt, !v.record.ended() && (v.refreshAsked() || v.overdue(now) || v.looks.due(now)):
			if err := v.look(ctx); err != nil {
				return err
			}
		case v.record.ended():
			if err := v.awaitDelivery(ctx); err != nil || v.record.ended() {
				return err
			}
		default:
			if err := v.awaitNews(ctx); err != nil {
				return err
			}
		}
	}
}

// look reads Didit's decision. A user whose time was up before, and who still has to act by Didit's own word, has lost
// it; a decision that cannot be used ends nothing.
func (v *verification) look(ctx workflow.Context) error {
	now := v.timers.now(ctx)
	overdue, attempt := v.overdue(now), v.record.state.Attempt
	refreshes := v.asked
	timer, before := !v.record.doubt && !v.refreshAsked(), v.record.state
	usable, err := v.readDecision(ctx)
	if err != nil {
		return err
	}
	v.answered = refreshes
	now = v.timers.now(ctx)
	v.looks.looked(now)
	if v.record.state.Attempt != attempt {
		v.looks.restart(now)
	}
	v.hurry(now)
	if v.late = v.record.reviewLate(now); v.late {
		workflow.GetLogger(ctx).Warn("review is late", "session_id", v.record.state.SessionID, "since", v.record.state.UpdatedAt)
	}
	v.measureLook(ctx, timer, usable, before)
	if usable && overdue && v.overdue(now) {
		v.record.timeUp(now)
	}
	return nil
}

// awaitNews sleeps until an event arrives or it is time to look at Didit.
func (v *verification) awaitNews(ctx workflow.Context) error {
	alarm := v.timers.start(ctx, v.wake())
	v.publish(ctx)
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	return workflow.Await(ctx, func() bool { return events.Len() > 0 || !v.timers.run(alarm) || v.refreshAsked() })
}

// wake is when to look at Didit next, if nothing happens: at the latest when the user's time is up.
func (v *verification) wake() time.Time {
	if v.record.userMustAct() && v.deadline().Before(v.looks.next) && !v.record.trouble {
		return v.deadline()
	}
	return v.looks.next
}

// takeEvents takes in all events that have arrived.
func (v *verification) takeEvents(ctx workflow.Context) {
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	attempt := v.record.state.Attempt
	for {
		var ev kyc.DiditEvent
		if !events.ReceiveAsync(&ev) {
			break
		}
		v.record.apply(ev, workflow.Now(ctx))
	}
	if v.record.state.Attempt != attempt {
		v.looks.restart(v.timers.now(ctx))
	}
	v.hurry(v.timers.now(ctx))
}

// hurry looks soon after an event that implied another one.
func (v *verification) hurry(now time.Time) {
	if v.record.more {
		v.looks.hurry(now)
	}
	v.record.more = false
}

// deadline is when the user's time to act is over.
func (v *verification) deadline() time.Time {
	return v.record.asked.Add(time.Duration(v.terms.DeadlineSeconds) * time.Second)
}

// overdue reports whether the user has had his time. While Didit's decision cannot be used nothing is overdue but the
// next look, which is on the schedule.
func (v *verification) overdue(now time.Time) bool {
	return v.record.userMustAct() && !now.Before(v.deadline()) && !v.record.trouble
}

// handle sets the handlers of the query and the updates, before anything can block.
func (v *verification) handle(ctx workflow.Context) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, kyc.QueryState, func() (kyc.State, error) { return v.record.state, nil },
		workflow.QueryHandlerOptions{Description: "How the verification stands."})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, kyc.UpdateSession, v.sessionOnceMade,
		workflow.UpdateHandlerOptions{Description: "Waits for the session and returns the URL that the person must open."})
	if err != nil {
		return err
	}
	return v.handleOperators(ctx)
}

// sessionOnceMade answers the update "session". A failure here is the answer to every later caller, so it only fails
// when the verification is over without a session.
func (v *verification) sessionOnceMade(ctx workflow.Context) (kyc.Session, error) {
	usable := func() bool { return v.session.URL != "" && v.cancelledBy == nil }
	if err := workflow.Await(ctx, func() bool { return usable() || v.record.ended() }); err != nil {
		return kyc.Session{}, err
	}
	if !usable() {
		kind := v.record.state.ErrorType
		if kind == "" && v.record.state.Outcome == kyc.OutcomeCancelled {
			kind = kyc.ErrorTypeCancelled
		}
		if v.record.state.Outcome == kyc.OutcomeErased {
			kind = kyc.ErrorTypeErased
		}
		return kyc.Session{}, temporal.NewNonRetryableApplicationError(kyc.Hint(kind), kind, nil)
	}
	s := v.session
	s.Status = v.record.state.Status
	return s, nil
}

// finish says the last word, lets callers have their answers, and closes the workflow.
func (v *verification) finish(ctx workflow.Context, err error) (kyc.State, error) {
	detached, _ := workflow.NewDisconnectedContext(ctx)
	if waitErr := v.awaitDelivery(detached); waitErr != nil {
		return v.record.state, waitErr
	}
	v.publish(detached)
	finished := func() bool { return workflow.AllHandlersFinished(detached) && len(v.results.pending) == 0 }
	if waitErr := workflow.Await(detached, finished); waitErr != nil {
		return v.record.state, waitErr
	}
	return v.record.state, err
}

// checkInput refuses what no verification can work with, and a workflow that webhooks would not find.
func checkInput(ctx workflow.Context, in kyc.Input) error {
	err := kyc.ValidateUserID(in.UserID)
	if err == nil {
		err = in.Priority.Validate()
	}
	if id := workflow.GetInfo(ctx).WorkflowExecution.ID; err == nil && id != kyc.WorkflowID(in.UserID) {
		err = fmt.Errorf("%w: the workflow id of user %s must be %s", kyc.ErrInvalidInput, in.UserID, kyc.WorkflowID(in.UserID))
	}
	if err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), kyc.ErrorTypeInvalidInput, nil)
	}
	return nil
}
