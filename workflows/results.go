package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// A receiver that is down gets three days to come back: about thirty tries, from a second to four hours apart. One try
// takes at most ten seconds.
const (
	resultWindow   = 72 * time.Hour
	shortSilence   = time.Second
	longestSilence = 4 * time.Hour
	resultTimeout  = 15 * time.Second
)

// results is what the receiver of results has been told, and is being told.
type results struct {
	wanted   bool // there is a receiver
	unasked  bool // nobody could say whether there is one
	sequence int
	last     kyc.State // of the newest result
	ended    bool      // a result told an outcome
	pending  []activities.SendResultInput
	lost     string // the type of error of the newest result that could not be delivered
	handed   int    // how often results were handed over
	leaving  bool   // the user has come back: what is left to deliver is handed over
}

// next is the type of the result that tells of s; empty if there is nothing to tell.
func (r *results) next(s kyc.State) kyc.ResultType {
	if s.Status == r.last.Status && s.Outcome == r.last.Outcome && s.Attempt == r.last.Attempt {
		return ""
	}
	asks := s.Status == didit.StatusInReview || s.Status == didit.StatusResubmitted
	switch {
	case s.Outcome == "" && r.last.Outcome == "" && !asks:
		return ""
	case r.ended:
		return kyc.ResultChanged
	case s.Outcome == kyc.OutcomeFailed:
		return kyc.ResultFailed
	case s.Outcome != "":
		return kyc.ResultCompleted
	case s.Status == didit.StatusInReview:
		return kyc.ResultInReview
	}
	return kyc.ResultResubmitted
}

// report tells the receiver what is new, and does not wait for it.
func (v *verification) report(ctx workflow.Context) {
	kind := v.results.next(v.record.state)
	if !v.results.wanted || v.record.doubt || kind == "" {
		return
	}
	// Results are ordered by this time, and another host's clock may be behind.
	v.record.state.UpdatedAt = later(v.record.state.UpdatedAt, v.results.last.UpdatedAt.Add(time.Millisecond))
	s := v.record.state
	v.results.sequence++
	v.results.last, v.results.ended = s, v.results.ended || s.Outcome != ""
	in := activities.SendResultInput{
		Type: kind, Sequence: v.results.sequence, Timestamp: workflow.Now(ctx), State: s, Unasked: v.results.unasked,
	}
	v.results.pending = append(v.results.pending, in)
	detached, _ := workflow.NewDisconnectedContext(ctx) // a verification that is cancelled is reported too
	sent := startSending(detached, in)
	workflow.Go(detached, func(ctx workflow.Context) {
		v.results.lost = undelivered(ctx, sent, in)
		v.results.drop(in.Sequence)
		v.describe(ctx)
	})
}

// startSending starts the delivery of a result.
func startSending(ctx workflow.Context, in activities.SendResultInput) workflow.Future {
	o := callOptions(kyc.TaskQueue, "Tell the receiver of results: "+string(in.Type), firstTurn, kyc.ErrorTypeCallbackGone)
	o.StartToCloseTimeout, o.ScheduleToCloseTimeout = resultTimeout, resultWindow
	o.RetryPolicy.InitialInterval, o.RetryPolicy.MaximumInterval = shortSilence, longestSilence
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), acts.SendResult, in)
}

// undelivered waits for the end of a delivery, and returns why it failed; empty if it did not.
func undelivered(ctx workflow.Context, sent workflow.Future, in activities.SendResultInput) string {
	err := sent.Get(ctx, nil)
	if err == nil {
		return ""
	}
	kind := kyc.ErrorTypeCallbackFailed
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == kyc.ErrorTypeCallbackGone {
		kind = kyc.ErrorTypeCallbackGone
	}
	workflow.GetLogger(ctx).Error("a result was not delivered", "type", in.Type, "session_id", in.State.SessionID, "error_type", kind)
	return kind
}

func (r *results) drop(sequence int) {
	for i, in := range r.pending {
		if in.Sequence == sequence {
			r.pending = append(r.pending[:i], r.pending[i+1:]...)
			return
		}
	}
}

// awaitDelivery is the time after the end in which the receiver has yet to take the result. News that comes in it is
// taken in as before, and so is what came while a cancelled verification waited for Didit: the server hands nothing on
// that an open run has. It returns when all is delivered, given up or handed over, or if Didit has taken its verdict back.
func (v *verification) awaitDelivery(ctx workflow.Context) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	events, leave := workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent), workflow.GetSignalChannel(ctx, kyc.SignalHandOver)
	for v.record.ended() {
		v.report(ctx)
		if len(v.results.pending) == 0 && (events.Len() == 0 || v.stopped) {
			return nil
		}
		v.publish(ctx)
		err := workflow.Await(ctx, func() bool {
			return events.Len() > 0 || leave.Len() > 0 || v.results.leaving || len(v.results.pending) == 0
		})
		if err != nil {
			return err
		}
		if events.Len() > 0 {
			err = v.reconsider(ctx)
		} else if leave.ReceiveAsync(nil) || v.results.leaving {
			v.handOver(ctx)
		}
		if err != nil {
			return err
		}
	}
	v.results.leaving = false // it goes on, and so does the user
	return nil
}

// reconsider takes in news after the end. What was cancelled stays so unless Didit has come to an end itself, and if it
// then takes that back, nobody follows the session any more. Of a user who is being erased there is no news.
func (v *verification) reconsider(ctx workflow.Context) error {
	before := v.record.state
	if v.erasing {
		for workflow.GetSignalChannel(ctx, kyc.SignalDiditEvent).ReceiveAsync(nil) {
		}
		return nil
	}
	v.takeEvents(ctx)
	if v.record.doubt {
		if err := v.look(ctx); err != nil {
			return err
		}
	}
	switch now := v.record.state.Outcome; {
	case before.Outcome == kyc.OutcomeCancelled && (now == "" || now == before.Outcome):
		v.record.state = before
	case now == "" && v.over:
		v.record.end(kyc.OutcomeCancelled, "", workflow.Now(ctx))
	}
	return nil
}

// handOver leaves what is not delivered yet to a workflow of its own: the user comes back, and a workflow id can have
// one open run.
func (v *verification) handOver(ctx workflow.Context) {
	const abandon = 2 // PARENT_CLOSE_POLICY_ABANDON
	id := kyc.DeliveryID(v.in.UserID, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	if v.results.handed > 0 { // the verdict changed during the first time
		id = fmt.Sprintf("%s-%d", id, v.results.handed)
	}
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:        id,
		TaskQueue:         kyc.TaskQueue,
		ParentClosePolicy: abandon,
		StaticSummary:     "Tell the receiver the results of user " + v.in.UserID + ", who has come back",
	}), kyc.WorkflowResultDelivery, Delivery{RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID, Results: v.results.pending})
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	v.results.handed++
	if v.results.leaving = err == nil; v.results.leaving {
		v.results.pending = nil
		return
	}
	workflow.GetLogger(ctx).Error("results not handed over", "error", err) // the run goes on delivering them
}

// wantsResults reads in Didit's refusal of a session whether there is a receiver.
func wantsResults(refused *temporal.ApplicationError) bool {
	var r activities.Refusal
	return refused.HasDetails() && refused.Details(&r) == nil && r.Results
}

// reportUnasked lets a verification that was cancelled before any worker said whether there is a receiver try to tell
// one. The version keeps runs of older code on their path.
func (v *verification) reportUnasked(ctx workflow.Context) {
	if v.terms.WorkflowID != "" || v.results.wanted {
		return
	}
	v.results.wanted = workflow.GetVersion(ctx, "report-cancelled-without-session", workflow.DefaultVersion, 1) == 1
	v.results.unasked = v.results.wanted
}

// story continues the sentence on the workflow's page.
func (r *results) story() string {
	switch {
	case len(r.pending) > 0:
		return " Telling the receiver of results (`" + string(r.pending[0].Type) + "`): it is tried again for three days; the pending activity shows its last answer."
	case r.lost != "":
		return " **A result was not delivered**, " + r.lost + ": " + kyc.Hint(r.lost) + "."
	}
	return ""
}
