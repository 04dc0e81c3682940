package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// reconcile reads Didit's decision. It ends a session whose person was overdue before and still has to act by Didit's
// decision; a decision that cannot be used ends nothing.
func (v *verification) reconcile(ctx workflow.Context) error {
	now := v.timers.now(ctx)
	before, overdue, refreshes := v.state.State, v.overdue(now), v.operators.requested
	polled := !v.state.needsRead && !v.refreshRequested()
	usable, err := v.readDecision(ctx, polled)
	if err != nil {
		return err
	}
	now = v.timers.now(ctx)
	v.operators.served = refreshes
	v.polls.done(now)
	if v.state.Status != before.Status && v.state.PersonMustAct() {
		v.polls.restart(now)
	}
	if usable && overdue && v.overdue(now) {
		v.state.timeUp(now)
	}
	if before.Outcome == kyc.OutcomeCancelled && !v.state.Outcome.Decided() { // only a verdict takes precedence over an operator
		before.CheckedAt = v.state.CheckedAt
		v.state.State = before
	}
	v.siblings.reselect = v.siblings.reselect || v.mayHaveLost(before)
	v.measurePoll(ctx, polled, usable, before)
	return nil
}

// mayHaveLost reports whether another session of the user may count now: this one was reopened, or ended early.
func (v *verification) mayHaveLost(before kyc.State) bool {
	switch {
	case v.state.Status == before.Status && v.state.Outcome == before.Outcome:
		return false
	case before.Outcome == kyc.OutcomeApproved: // it may have outranked a newer one
		return true
	case finished(v.state.Status):
		return false
	}
	others := v.siblings.exist || v.in.Resume || before.Outcome.Decided()
	return others && (finished(before.Status) || v.state.ended())
}

// readDecision reads Didit's decision on the session, and reports whether it could be used. Only a 404 is final: with a key
// that is fixed later the retries must find the verdict.
func (v *verification) readDecision(ctx workflow.Context, polled bool) (usable bool, err error) {
	priority, summary := firstPriority, "Read Didit's decision"
	if polled {
		priority, summary = lastPriority, "Poll Didit's decision, as no webhook came"
	}
	d, err := call(ctx, callOptions(kyc.TaskQueueDiditRead, summary, priority, kyc.ErrorTypeNotFound), acts.ReadDecision,
		activities.ReadDecisionInput{
			SessionID: v.state.SessionID, UserID: v.in.UserID, WorkflowID: v.state.WorkflowID, Environment: v.policy.Environment,
			Link: v.session.URL == "", RunID: v.results.runID,
		})
	if failureType(err) != "" {
		if gone, err := v.sessionGone(ctx); err != nil || gone {
			return false, err
		}
	} else if err != nil {
		return false, err
	}
	v.results.afterReset(d.Reset)
	usable = v.state.applyDecision(d, workflow.Now(ctx)) // the zero Decision is unusable
	if usable && v.session.URL == "" {
		v.session = d.Session
	}
	if !usable {
		workflow.GetLogger(ctx).Error("Didit's decision cannot be used", "session_id", v.state.SessionID, "error", err, "foreign", d.Foreign)
	}
	return usable, nil
}

// sessionGone ends the verification as cancelled if the session that Didit's decision endpoint does not know is not in the
// user's list either: it was deleted. If the list has it, only the key may not read it. A verdict that was reported outlives
// its session.
func (v *verification) sessionGone(ctx workflow.Context) (bool, error) {
	if v.state.ended() {
		v.state.needsRead, v.state.lag = false, lag{}
		return true, nil
	}
	list, err := v.listSessions(ctx, refusals()...)
	if failureType(err) != "" {
		return false, nil // the session may exist
	}
	if err != nil || slices.ContainsFunc(list.Sessions, func(s activities.UserSession) bool { return s.SessionID == v.state.SessionID }) {
		return false, err
	}
	workflow.GetLogger(ctx).Error("Didit has deleted the session", "session_id", v.state.SessionID)
	v.state.end(kyc.OutcomeCancelled, kyc.ErrorTypeNotFound, workflow.Now(ctx))
	return true, nil
}

// sleep waits for an event, a request or the time of the next poll.
func (v *verification) sleep(ctx workflow.Context) error {
	var alarm workflow.Future
	if at, set := v.wake(); set {
		alarm = v.timers.start(ctx, at)
	}
	v.publish(ctx)
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	return workflow.Await(ctx, func() bool { // a timer whose context is cancelled is done too, without having fired
		return events.Len() > 0 || alarm != nil && ctx.Err() == nil && alarm.IsReady() || v.creation.request != nil && v.state.lag.next.IsZero() || v.refreshRequested() || v.finished(ctx)
	})
}

// wake is when to read Didit's decision next, if nothing happens: at the latest at the person's deadline.
func (v *verification) wake() (at time.Time, set bool) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (!set || t.Before(at)) {
			at, set = t, true
		}
	}
	sooner(v.state.lag.next)
	sooner(v.siblings.lag.next)
	if v.state.ended() || v.state.SessionID == "" {
		return at, set
	}
	sooner(v.polls.next)
	if v.state.PersonMustAct() && !v.state.decisionUnusable {
		sooner(v.deadline())
	}
	return at, set
}

// deadline is when the person's time to act is over.
func (v *verification) deadline() time.Time {
	return v.state.promptedAt.Add(time.Duration(v.policy.DeadlineSeconds) * time.Second)
}

// overdue reports whether the person's time is over. While Didit's decision cannot be used, only the schedule counts.
func (v *verification) overdue(now time.Time) bool {
	return v.state.PersonMustAct() && !now.Before(v.deadline()) && !v.state.decisionUnusable
}
