package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// The backoff of callbacks: about thirty tries in three days, from a second to four hours apart. One try takes at most ten
// seconds; the first one, which costs the history least, two.
const (
	firstTryTimeout    = 2 * time.Second
	callbackWindow     = 72 * time.Hour
	shortestBackoff    = time.Second
	longestBackoff     = 4 * time.Hour
	callbackTryTimeout = 15 * time.Second
)

// results is what callbacks have reported, and are reporting.
type results struct {
	runID     string // the run that results are of; a different one after a reset
	sequence  int
	last      kyc.State  // of the newest result
	ended     bool       // an outcome of its session was reported, or may have been: another one is a change
	recalled  bool       // earlier runs were asked what they reported
	session   string     // that the earlier runs knew last
	delivered *kyc.State // of the newest result that was delivered, or failed for good
	pending   []activities.SendResultInput
	lost      string // the type of error of the newest result that could not be delivered
}

// continueFrom continues after what earlier runs reported. Where that is unknown, it may have been anything.
func (r *results) continueFrom(before activities.Predecessor) {
	r.recalled, r.session = true, before.State.SessionID
	if before.Reported == nil {
		r.ended = before.State.UserID == ""
		return
	}
	r.last, r.ended, r.delivered = *before.Reported, before.Reported.Outcome != "", before.Reported
}

// afterReset continues after what was reported before an operator reset the run. A pending result reads that itself.
func (r *results) afterReset(sent *activities.SentResult) {
	if sent == nil || len(r.pending) > 0 {
		return
	}
	r.runID = sent.RunID
	r.continueFrom(sent.Earlier)
	r.ended = r.ended || sent.Earlier.Reported == nil // a run that was cut off may have posted a result without a record
}

// adopt prepares for results of a session that this run did not make. If the earlier runs did not know it either, the run
// that did is deleted, and may have reported anything.
func (r *results) adopt(session string) {
	if r.recalled && r.sequence == 0 && r.session != session {
		r.last, r.ended = kyc.State{UpdatedAt: r.last.UpdatedAt}, true
	}
}

// unknown reports whether it is not known what was reported last.
func (r *results) unknown() bool { return r.last.UserID == "" }

// next is the type of the result that reports s; empty if there is nothing to report.
func (r *results) next(s kyc.State) kyc.ResultType {
	again := r.ended && (r.unknown() || r.last.SessionID == s.SessionID)
	asks := s.Status == didit.StatusInReview || s.Status == didit.StatusResubmitted
	switch {
	case s.UserID == "", s.SameAs(r.last), s.Outcome == "" && !asks && !again:
		return ""
	case s.Outcome == kyc.OutcomeFailed:
		return kyc.ResultFailed
	case again:
		return kyc.ResultChanged
	case s.Outcome != "":
		return kyc.ResultCompleted
	case s.Status == didit.StatusInReview:
		return kyc.ResultInReview
	}
	return kyc.ResultResubmitted
}

// report reports what is new. The first try is a local activity, which costs one event. A callback that it cannot deliver is
// an activity of its own, whose tries an operator sees; the workflow does not wait for it. So is that of a run that is
// cancelled in Temporal: it may have to close while events arrive, and a refused close loses the record of a local activity.
func (v *verification) report(ctx workflow.Context) error {
	kind := v.results.next(v.state.State)
	unknown := v.policy.WorkflowID == "" // it is not known yet whether there is a callback endpoint
	if !v.policy.Callbacks && !unknown || v.state.needsRead || v.siblings.reselect || v.creation.request != nil || kind == "" {
		return nil
	}
	// Endpoints order results by this time, and another host's clock may be behind.
	v.state.UpdatedAt = later(v.state.UpdatedAt, v.results.last.UpdatedAt.Add(time.Millisecond))
	before := v.results
	in := v.results.add(kind, v.state, workflow.Now(ctx))
	in.Optional = unknown
	detached, _ := workflow.NewDisconnectedContext(ctx) // a verification that is cancelled is reported too
	if len(v.results.pending) == 0 && !v.operators.stopped {
		local := workflow.WithLocalActivityOptions(detached, workflow.LocalActivityOptions{
			ScheduleToCloseTimeout: firstTryTimeout, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}, Summary: string(kind),
		})
		var sent activities.SentResult
		err := workflow.ExecuteLocalActivity(local, acts.SendResult, in).Get(detached, &sent)
		switch {
		case err == nil && sent.Reset: // the run was reset: now it is known what was reported before
			v.results = before
			v.results.afterReset(&sent)
			return v.report(ctx)
		case err == nil, failureOf(err) == kyc.ErrorTypeCallbackGone:
			v.results.delivered, v.results.lost = &in.State, failureOf(err)
			return nil
		}
	}
	v.results.pending = append(v.results.pending, in)
	workflow.Go(detached, func(ctx workflow.Context) {
		v.results.lost = deliver(ctx, in)
		v.results.drop(in)
		v.describe(ctx)
	})
	return nil
}

// add makes the next result. Its sequence counts changes too: a workflow task that the server refuses may have posted a
// result without a record. If the state comes back to what that one said, this is another result, not a repeat.
func (r *results) add(kind kyc.ResultType, s sessionState, now time.Time) activities.SendResultInput {
	if !r.unknown() && r.last.SessionID != s.SessionID {
		r.ended = false
	}
	r.sequence = max(r.sequence+1, s.changes)
	r.last, r.ended = s.State, r.ended || s.Outcome != ""
	return activities.SendResultInput{Type: kind, Sequence: r.sequence, Timestamp: now, State: s.State, RunID: r.runID}
}

// deliver waits for the end of a delivery, and returns why it failed; empty if it did not. After a reset the callback of a
// pending result is sent with the new run's name.
func deliver(ctx workflow.Context, in activities.SendResultInput) string {
	o := callOptions(kyc.TaskQueue, "Callback: "+string(in.Type), firstPriority, kyc.ErrorTypeCallbackGone)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = callbackTryTimeout, callbackWindow
	o.RetryPolicy.InitialInterval, o.RetryPolicy.MaximumInterval = shortestBackoff, longestBackoff
	sent, err := call(ctx, o, acts.SendResult, in)
	if err == nil && sent.Reset && (sent.Earlier.Reported == nil || !sent.Earlier.Reported.SameAs(in.State)) {
		in.RunID = sent.RunID
		_, err = call(ctx, o, acts.SendResult, in)
	}
	kind := failureOf(err)
	if kind != "" {
		workflow.GetLogger(ctx).Error("a callback was not delivered", "type", in.Type, "session_id", in.State.SessionID, "error_type", kind)
	}
	return kind
}

// failureOf is the type of error of a delivery that failed for good; empty for one that did not.
func failureOf(err error) string {
	if kind := failureType(err); err == nil || kind == kyc.ErrorTypeCallbackGone {
		return kind
	}
	return kyc.ErrorTypeCallbackFailed
}

func (r *results) drop(done activities.SendResultInput) {
	if r.delivered == nil || done.State.UpdatedAt.After(r.delivered.UpdatedAt) { // a later one may have been delivered first
		r.delivered = &done.State
	}
	r.pending = slices.DeleteFunc(r.pending, func(in activities.SendResultInput) bool { return in.Sequence == done.Sequence })
}

// summary continues the current details on the workflow's page.
func (r *results) summary() string {
	switch {
	case len(r.pending) > 0:
		return " Delivering the callback `" + string(r.pending[0].Type) + "`: it is retried for three days; the pending activity shows the last answer."
	case r.lost != "":
		return " **A callback was not delivered**, " + r.lost + ": " + kyc.Hint(r.lost) + "."
	}
	return ""
}
