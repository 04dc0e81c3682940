// Package workflows decides: what to do next about a user, when to give up, what to report. It is deterministic and
// does nothing itself; package activities does.
package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// acts names activities by method; it is never called.
var acts *activities.Activities

// Verification follows one user at Didit; its id is kyc.WorkflowID of the user. It is open while anything is pending: a
// session to be made, a person or a reviewer to act, a result to be delivered. Its result is the user's state. A run that
// begins with kyc.Input.Resume makes no session by itself, and is otherwise the same.
func Verification(ctx workflow.Context, in kyc.Input) (kyc.State, error) {
	v := &verification{in: in, state: newSessionState(in.UserID, workflow.Now(ctx)), published: publishedBefore(ctx)}
	v.expected = map[string]didit.Status{}
	v.operators.stop, v.results.runID = func() {}, originalRun(ctx)
	if err := v.handle(ctx); err != nil {
		return kyc.State{}, err
	}
	if err := checkInput(ctx, in); err != nil {
		return v.refuseInput(ctx, err)
	}
	if !in.Resume {
		v.request = &v.in
	}
	err := v.run(ctx)
	return v.state.State, err
}

// originalRun is the run before any reset. Code must not branch on the run's own id: after a reset the past is replayed
// under another one.
func originalRun(ctx workflow.Context) string {
	info := workflow.GetInfo(ctx)
	if info.OriginalRunID == "" { // in the test environment
		return info.WorkflowExecution.RunID
	}
	return info.OriginalRunID
}

// verification is a run: what it knows about its user, what it was asked for, and what it has reported.
type verification struct {
	in      kyc.Input
	state   sessionState
	session kyc.Session
	policy  activities.SessionPolicy
	polls   reconcileSchedule
	timers  timers
	asking
	siblings
	operators operators
	results   results
	published attributes
	measured  measured
}

// asking is the session that was asked for and is not there yet.
type asking struct {
	request       *kyc.Input
	requested     int            // how many were asked for
	refusal       string         // the type of error of the last that was not made
	busy          kyc.WaitingFor // limit or didit, while a create is under way
	maybeOrphaned bool           // a create may have made a session that is not known yet
}

// siblings are the user's other sessions.
type siblings struct {
	early    []kyc.DiditEvent        // events that came while no session was known
	others   bool                    // there are some
	reselect bool                    // one of them may be the session that counts
	expected map[string]didit.Status // what fresh events say of them
	relook   lag                     // Didit does not show that yet
}

// run is the story: get a session, follow it until Didit has decided or the person's time is up, report what is new, and
// end when nothing is pending.
func (v *verification) run(ctx workflow.Context) error {
	if err := v.resume(ctx); err != nil {
		return err
	}
	for {
		step, stop := workflow.WithCancel(ctx)
		v.operators.stop = stop
		if v.operators.cancelledBy != nil && !v.state.ended() { // asked before there was anything to stop
			stop()
		}
		err := v.advance(step)
		switch {
		case err == nil:
			v.publish(ctx)
			v.measureLateUpdate(ctx)
			return nil
		case ctx.Err() != nil: // Temporal's own cancellation waits for nothing; what is pending is still delivered
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			v.cancelNow(ctx)
		case !temporal.IsCanceledError(err):
			return err
		case v.operators.cancelledBy != nil: // else a verdict was faster
			if err := v.cancelAtDidit(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// resume takes up what earlier runs of the user knew.
func (v *verification) resume(ctx workflow.Context) error {
	if !v.in.Resume {
		return nil
	}
	before, err := v.recall(ctx)
	if err != nil {
		return err
	}
	v.policy = before.Policy
	v.measured.resumed = before.State
	if before.State.SessionID == "" {
		v.reselect = true
		return nil
	}
	now := workflow.Now(ctx)
	v.state.State = before.State
	v.state.confirmed, v.state.needsRead, v.state.promptedAt = true, true, now
	v.polls = newSchedule(v.policy, now)
	v.measured.status, v.measured.attempt, v.measured.ended = before.State.Status, before.State.Attempt, before.State.Outcome != ""
	return nil
}

// advance does what is due, until nothing is pending.
func (v *verification) advance(ctx workflow.Context) error {
	for {
		v.takeEvents(ctx)
		if v.state.Outcome.Decided() && !v.operators.erasing { // a verdict is stronger than an operator's cancel
			v.operators.cancelledBy = nil
		}
		if err := v.report(ctx); err != nil {
			return err
		}
		var err error
		switch now := v.timers.now(ctx); {
		case v.request != nil && v.state.lag.next.IsZero():
			err = v.getSession(ctx)
		case v.state.needsRead, v.state.lag.over(now), v.refreshAsked(), v.mayPoll() && (v.overdue(now) || v.polls.due(now)):
			err = v.reconcile(ctx)
		case v.reselect, v.relook.over(now):
			err = v.reselectSession(ctx)
		case v.finished(ctx):
			return v.forgetIfErased(ctx)
		default:
			err = v.awaitNews(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (v *verification) mayPoll() bool { return v.state.SessionID != "" && !v.state.ended() }

func (v *verification) refreshAsked() bool {
	return v.mayPoll() && v.operators.answered < v.operators.asked
}

// finished reports whether nothing is pending: no event, no request, no answer to a caller, no callback.
func (v *verification) finished(ctx workflow.Context) bool {
	nothingToFollow := v.state.ended() || v.state.SessionID == ""
	return nothingToFollow && v.request == nil && !v.state.needsRead && v.state.lag.next.IsZero() && v.relook.next.IsZero() && !v.reselect &&
		len(v.results.pending) == 0 && workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent).Len() == 0 && workflow.AllHandlersFinished(ctx)
}

// forgetIfErased leaves no trace of a late event about a user who was erased.
func (v *verification) forgetIfErased(ctx workflow.Context) error {
	if !v.in.Resume || v.state.SessionID != "" || v.state.ended() {
		return nil
	}
	v.state.State = kyc.State{} // nothing is known of the user
	return call(ctx, callOptions(kyc.TaskQueue, "Was the user erased? Then forget this run too", lastPriority), acts.ForgetIfErased,
		activities.UserInput{UserID: v.in.UserID}, nil)
}

// takeEvents takes in all events that have arrived.
func (v *verification) takeEvents(ctx workflow.Context) {
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	before := v.state.State
	if v.state.SessionID != "" {
		for _, ev := range v.early {
			v.takeEvent(ctx, ev)
		}
		v.early = nil
	}
	for {
		var ev kyc.DiditEvent
		if !events.ReceiveAsync(&ev) {
			break
		}
		v.takeEvent(ctx, ev)
	}
	if v.state.Status != before.Status {
		v.polls.restart(v.timers.now(ctx))
	}
}

// takeEvent judges one event: about the session, about another one of the user's, or nonsense. Events for a user who is
// being erased are dropped.
func (v *verification) takeEvent(ctx workflow.Context, ev kyc.DiditEvent) {
	switch {
	case ev.Type != didit.EventStatusUpdated, !ev.Status.Known(), v.operators.erasing:
	case v.state.SessionID == "":
		if v.request != nil {
			v.early = append(v.early, ev)
		} else {
			v.lookAtOthers(ctx, ev)
		}
	case ev.SessionID == v.state.SessionID:
		v.state.apply(ev, workflow.Now(ctx))
	case mayCount(ev.Status) && !v.state.seen[ev.EventID]:
		v.others = true
		v.lookAtOthers(ctx, ev)
	}
}

// lookAtOthers notes an event that may change which session counts.
func (v *verification) lookAtOthers(ctx workflow.Context, ev kyc.DiditEvent) {
	v.state.seen[ev.EventID] = true
	v.reselect, v.relook = true, lag{}
	if workflow.Now(ctx).Sub(time.Unix(ev.CreatedAt, 0)) < freshFor {
		v.expected[ev.SessionID] = ev.Status
	}
}
