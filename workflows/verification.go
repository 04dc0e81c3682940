// Package workflows decides what to do next for a user, when to end, and what to report. It is deterministic; package
// activities acts.
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
// session to create, a person or a reviewer to act, a callback to deliver. Its result is the user's state. A run that
// begins with kyc.Input.Resume makes no session by itself, and is otherwise the same.
func Verification(ctx workflow.Context, in kyc.Input) (kyc.State, error) {
	v := newVerification(ctx, in)
	if err := v.handle(ctx); err != nil {
		return kyc.State{}, err
	}
	if err := checkInput(ctx, in); err != nil {
		return v.refuseInput(ctx, err)
	}
	if !in.Resume {
		v.creation.request = &v.in
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

// verification is a run: what it knows about its user, what was requested, and what it has reported.
type verification struct {
	in        kyc.Input
	state     sessionState
	session   kyc.Session
	policy    activities.SessionPolicy
	polls     reconcileSchedule
	timers    timers
	creation  creation
	siblings  siblings
	operators operators
	results   results
	published attributes
	measured  measured
}

// creation is the request for a session.
type creation struct {
	request       *kyc.Input     // nil if there is none
	number        int            // of requests so far
	refusal       string         // the type of error of the last one that failed
	waitingFor    kyc.WaitingFor // limit or didit, while a create is in flight
	maybeOrphaned bool           // a create may have made a session that is not known yet
}

// siblings are the user's other sessions.
type siblings struct {
	early    []kyc.DiditEvent        // events that came while no session was known
	exist    bool                    // there are some
	reselect bool                    // one of them may be the session that counts
	expected map[string]didit.Status // their statuses by fresh events
	lag      lag                     // Didit does not show those statuses yet
}

// newVerification is a run that knows its request and what its predecessor left in the Web UI's list.
func newVerification(ctx workflow.Context, in kyc.Input) *verification {
	v := &verification{in: in, state: newSessionState(in.UserID, workflow.Now(ctx)), published: publishedBefore(ctx)}
	v.siblings.expected = map[string]didit.Status{}
	v.operators.stop, v.results.runID = func() {}, originalRun(ctx)
	return v
}

// run is the main loop: get a session, follow it until Didit has decided or the person's time is up, report what is new,
// and end when nothing is pending.
func (v *verification) run(ctx workflow.Context) error {
	undisturbed, _ := workflow.NewDisconnectedContext(ctx) // a run that is cancelled in Temporal must know how its user stands
	if err := v.resume(undisturbed); err != nil {
		return err
	}
	for {
		step, stop := workflow.WithCancel(ctx)
		v.operators.stop = stop
		if v.operators.end != nil && !v.state.ended() { // requested before there was anything to stop
			stop()
		}
		err := v.advance(step)
		switch {
		case err == nil:
			v.publish(ctx)
			v.measureLateUpdate(ctx)
			return nil
		case ctx.Err() != nil: // cancelled in Temporal: ends at once, but pending callbacks are delivered
			ctx, _ = workflow.NewDisconnectedContext(ctx)
			v.cancelNow(ctx)
		case !temporal.IsCanceledError(err):
			return err
		case v.operators.end != nil: // else a verdict came first
			if err := v.cancelAtDidit(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// resume continues from the state of the user's earlier runs.
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
	begun := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent).Len() > 0 // by an event; else an operator started it by hand
	v.siblings.reselect = before.State.SessionID == "" || !begun
	if before.State.SessionID == "" {
		return nil
	}
	now := workflow.Now(ctx)
	v.state.State = before.State
	v.state.confirmed, v.state.needsRead, v.state.promptedAt = true, true, now
	v.polls = newSchedule(v.policy, now)
	v.measured.status, v.measured.attempt, v.measured.ended = before.State.Status, before.State.Attempt, before.State.Outcome != ""
	return nil
}

// advance runs the next step that is due, until nothing is pending.
func (v *verification) advance(ctx workflow.Context) error {
	for {
		v.takeEvents(ctx)
		if v.state.Outcome.Decided() && !v.operators.erasing() { // a verdict takes precedence over an operator's cancel
			v.operators.end = nil
		}
		if err := v.report(ctx); err != nil {
			return err
		}
		var err error
		switch now := v.timers.now(ctx); {
		case v.creation.request != nil && v.state.lag.next.IsZero():
			err = v.getSession(ctx)
		case v.state.needsRead, v.state.lag.over(now), v.refreshRequested(), v.mayPoll() && (v.overdue(now) || v.polls.due(now)):
			err = v.reconcile(ctx)
		case v.siblings.reselect, v.siblings.lag.over(now):
			err = v.reselectSession(ctx)
		case v.finished(ctx):
			return v.forgetIfErased(ctx)
		default:
			err = v.sleep(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (v *verification) mayPoll() bool { return v.state.SessionID != "" && !v.state.ended() }

func (v *verification) refreshRequested() bool {
	return v.mayPoll() && v.operators.served < v.operators.requested
}

// finished reports whether nothing is pending: no event, no request, no answer to a caller, no callback.
func (v *verification) finished(ctx workflow.Context) bool {
	nothingToFollow := v.state.ended() || v.state.SessionID == ""
	return nothingToFollow && v.creation.request == nil && !v.state.needsRead && v.state.lag.next.IsZero() && v.siblings.lag.next.IsZero() && !v.siblings.reselect &&
		len(v.results.pending) == 0 && workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent).Len() == 0 && workflow.AllHandlersFinished(ctx)
}

// forgetIfErased leaves no trace of a late event about a user who was erased.
func (v *verification) forgetIfErased(ctx workflow.Context) error {
	if !v.in.Resume || v.state.SessionID != "" || v.state.ended() {
		return nil
	}
	v.state.State = kyc.State{} // no session of ours is known of the user
	_, err := call(ctx, callOptions(kyc.TaskQueue, "Was the user erased? Then delete this run too", lastPriority), acts.ForgetIfErased,
		activities.UserInput{UserID: v.in.UserID})
	return err
}

// takeEvents applies all events that have arrived.
func (v *verification) takeEvents(ctx workflow.Context) {
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	before := v.state.State
	if v.state.SessionID != "" {
		for _, ev := range v.siblings.early {
			v.takeEvent(ctx, ev)
		}
		v.siblings.early = nil
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

// takeEvent applies one event, about the session or another one of the user's. It drops invalid events, and events for a user
// who is being erased.
func (v *verification) takeEvent(ctx workflow.Context, ev kyc.DiditEvent) {
	switch {
	case ev.Type != didit.EventStatusUpdated, !ev.Status.Known(), v.operators.erasing():
	case v.state.SessionID == "":
		if v.creation.request != nil {
			v.siblings.early = append(v.siblings.early, ev)
		} else {
			v.noteSibling(ctx, ev)
		}
	case ev.SessionID == v.state.SessionID:
		v.state.apply(ev, workflow.Now(ctx))
	case (v.in.Resume || mayCount(ev.Status)) && !v.state.seen[ev.EventID]: // a run that an event began may not know the newest session
		v.siblings.exist = true
		v.noteSibling(ctx, ev)
	}
}

// noteSibling records an event that may change which session counts.
func (v *verification) noteSibling(ctx workflow.Context, ev kyc.DiditEvent) {
	v.state.seen[ev.EventID] = true
	v.siblings.reselect, v.siblings.lag = true, lag{}
	if workflow.Now(ctx).Sub(time.Unix(ev.CreatedAt, 0)) < freshFor {
		v.siblings.expected[ev.SessionID] = ev.Status
	}
}
