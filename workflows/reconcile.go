package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

// callTimeout is for one call, once a worker has taken it. Nothing bounds the time before: waiting for the rate limit
// is not failing.
const callTimeout = 20 * time.Second

// A person waits for the first kind of call, nobody for the last.
const (
	firstPriority = kyc.PriorityKeyInteractive
	lastPriority  = kyc.PriorityKeyPoll
)

// callOptions are the options of a call that is tried again until an error of one of the final types, at the pace that
// Didit recommends: 5, 10, 20, 40 seconds (docs.didit.me/integration/rate-limiting). A call that no limit holds back is
// handed to the worker together with the answer to its workflow task, which saves the way through the queue.
func callOptions(queue, summary string, priority int, final ...string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:             queue,
		StartToCloseTimeout:   callTimeout,
		DisableEagerExecution: queue != kyc.TaskQueue,
		Priority:              temporal.Priority{PriorityKey: priority},
		Summary:               summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        5 * time.Second,
			BackoffCoefficient:     2,
			MaximumInterval:        5 * time.Minute,
			NonRetryableErrorTypes: final,
		},
	}
}

// call runs an activity and waits for its result.
func call(ctx workflow.Context, o workflow.ActivityOptions, activity, in, result any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, in).Get(ctx, result)
}

// refusals are the errors that no waiting fixes, while a person waits for the URL.
func refusals() []string {
	return []string{kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeNotFound}
}

// reconcile reads Didit's decision. A person whose time was up before, and who still has to act by Didit's own word, has
// lost the session; a decision that cannot be used ends nothing.
func (v *verification) reconcile(ctx workflow.Context) error {
	now := v.timers.now(ctx)
	before, overdue, refreshes := v.state.State, v.overdue(now), v.operators.asked
	polled := !v.state.needsRead && !v.refreshAsked()
	usable, err := v.readDecision(ctx, polled)
	if err != nil {
		return err
	}
	now = v.timers.now(ctx)
	v.operators.answered = refreshes
	v.polls.done(now)
	if v.state.Status != before.Status && v.state.PersonMustAct() {
		v.polls.restart(now)
	}
	if usable && overdue && v.overdue(now) {
		v.state.timeUp(now)
	}
	if before.Outcome == kyc.OutcomeCancelled && !v.state.Outcome.Decided() { // only a verdict is stronger than an operator
		before.CheckedAt = v.state.CheckedAt
		v.state.State = before
	}
	v.reselect = v.reselect || v.mayHaveLost(before)
	v.measurePoll(ctx, polled, usable, before)
	return nil
}

// mayHaveLost reports whether another session of the user may count now: this one was reopened, or broken off.
func (v *verification) mayHaveLost(before kyc.State) bool {
	switch {
	case v.state.Status == before.Status && v.state.Outcome == before.Outcome:
		return false
	case before.Outcome == kyc.OutcomeApproved: // it may have outranked a newer one
		return true
	case finished(v.state.Status):
		return false
	}
	others := v.others || v.in.Resume || before.Outcome.Decided()
	return others && (finished(before.Status) || v.state.ended())
}

// readDecision asks Didit how the session stands, and reports whether the answer could be used. Only a 404 is final: a
// key that is fixed later must find the verdict.
func (v *verification) readDecision(ctx workflow.Context, polled bool) (usable bool, err error) {
	priority, summary := firstPriority, "Read Didit's decision"
	if polled {
		priority, summary = lastPriority, "Poll Didit's decision, as no webhook came"
	}
	var d activities.Decision
	err = call(ctx, callOptions(kyc.TaskQueueDiditRead, summary, priority, kyc.ErrorTypeNotFound), acts.ReadDecision,
		activities.ReadDecisionInput{
			SessionID: v.state.SessionID, UserID: v.in.UserID, WorkflowID: v.state.WorkflowID, Environment: v.policy.Environment,
			Link: v.session.URL == "", RunID: v.results.runID,
		}, &d)
	var refused *temporal.ApplicationError
	if err != nil && !errors.As(err, &refused) {
		return false, err
	}
	if refused != nil {
		if gone, err := v.sessionGone(ctx); err != nil || gone {
			return false, err
		}
	}
	v.results.afterReset(d.Reset)
	usable = v.state.applyDecision(d, workflow.Now(ctx)) // the zero Decision says nothing
	if usable && v.session.URL == "" {
		v.session = d.Session
	}
	if !usable {
		workflow.GetLogger(ctx).Error("Didit's decision cannot be used", "session_id", v.state.SessionID, "error", err, "foreign", d.Foreign)
	}
	return usable, nil
}

// sessionGone ends the verification as cancelled if the session that Didit's decision endpoint does not know is not in
// the user's list either: it was deleted. One that is listed is only out of the key's sight. A verdict that was reported
// outlives its session.
func (v *verification) sessionGone(ctx workflow.Context) (bool, error) {
	if v.state.ended() {
		v.state.needsRead, v.state.lag = false, lag{}
		return true, nil
	}
	list, err := v.listSessions(ctx, refusals()...)
	var refused *temporal.ApplicationError
	if err != nil && !errors.As(err, &refused) {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // a list that Didit refuses says nothing about the session
	}
	for _, s := range list.Sessions {
		if s.SessionID == v.state.SessionID {
			return false, nil
		}
	}
	workflow.GetLogger(ctx).Error("Didit has deleted the session", "session_id", v.state.SessionID)
	v.state.end(kyc.OutcomeCancelled, kyc.ErrorTypeNotFound, workflow.Now(ctx))
	return true, nil
}

// awaitNews sleeps until an event, a request or the time for the next poll.
func (v *verification) awaitNews(ctx workflow.Context) error {
	alarm, set := v.wake()
	if set {
		alarm = v.timers.start(ctx, alarm)
	}
	v.publish(ctx)
	events := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent)
	return workflow.Await(ctx, func() bool {
		return events.Len() > 0 || set && !v.timers.run(alarm) || v.request != nil && v.state.lag.next.IsZero() || v.refreshAsked() || v.finished(ctx)
	})
}

// wake is when to read Didit's decision next, if nothing happens: at the latest when the person's time is up.
func (v *verification) wake() (at time.Time, set bool) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (!set || t.Before(at)) {
			at, set = t, true
		}
	}
	sooner(v.state.lag.next)
	sooner(v.relook.next)
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

// overdue reports whether the person's time is over. While Didit's decision cannot be used nothing is overdue but the next
// poll, which is on the schedule.
func (v *verification) overdue(now time.Time) bool {
	return v.state.PersonMustAct() && !now.Before(v.deadline()) && !v.state.decisionUnusable
}
