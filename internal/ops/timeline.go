package ops

import (
	"context"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Step is one entry of a user's timeline, from Temporal's histories.
type Step struct {
	Time       time.Time `json:"time"`
	WorkflowID string    `json:"workflow_id"`
	RunID      string    `json:"run_id"`
	What       StepKind  `json:"what"`
	// Status is Didit's, word for word: of an event or a decision, or the session's after an operator action.
	Status    didit.Status `json:"status,omitempty"`
	Outcome   kyc.Outcome  `json:"outcome,omitempty"`
	SessionID string       `json:"session_id,omitempty"`
	Actor     string       `json:"actor,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	// Note holds the rest: an error, the status before, Didit's time of an event.
	Note string `json:"note,omitempty"`
}

// StepKind says what a Step is.
type StepKind string

// The kinds of steps.
const (
	StepStarted    StepKind = "started"         // a verification began
	StepSession    StepKind = "session made"    // Didit made the session, or it was found
	StepEvent      StepKind = "event"           // a webhook of Didit
	StepDecision   StepKind = "decision read"   // Didit's decision, the authority
	StepAction     StepKind = "order"           // an operator action was requested
	StepActionDone StepKind = "order done"      // and its result
	StepDeleted    StepKind = "session deleted" // of a verification that was cancelled
	StepResumed    StepKind = "late update"     // an event after the end began another run
	StepEnded      StepKind = "ended"           // the verification's outcome
	StepFailed     StepKind = "failed"          // something was refused, or stopped by hand
)

// Timeline returns all that Temporal remembers of a user, oldest first: verifications, Didit's events and decisions, operator
// actions. What its retention has deleted is missing. It needs no worker.
func (c *Client) Timeline(ctx context.Context, userID string) ([]Step, error) {
	if err := kyc.ValidateUserID(userID); err != nil {
		return nil, err
	}
	runs, err := c.runsOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	var timeline []Step
	for _, x := range runs {
		steps, err := c.steps(ctx, x)
		if isNotFound(err) { // its retention is over
			continue
		}
		if err != nil {
			return nil, userError("read the history of", userID, err)
		}
		timeline = append(timeline, steps...)
	}
	if len(timeline) == 0 {
		return nil, userError("find the runs of", userID, kyc.ErrNotFound)
	}
	slices.SortStableFunc(timeline, func(a, b Step) int { return a.Time.Compare(b.Time) })
	return timeline, nil
}

// reader turns the events of one run into steps.
type reader struct {
	run      *commonpb.WorkflowExecution
	payloads converter.DataConverter
	kind     string           // the workflow's type
	activity map[int64]string // by the id of the event that scheduled it
	steps    []Step

	unreadable error // a payload is encrypted with a key that this process lacks
}

func (c *Client) steps(ctx context.Context, x *workflowpb.WorkflowExecutionInfo) ([]Step, error) {
	payloads := converter.WithDataConverterSerializationContext(c.DataConverter(), converter.WorkflowSerializationContext{
		Namespace: c.Namespace(), WorkflowID: x.GetExecution().GetWorkflowId(),
	})
	t := &reader{run: x.GetExecution(), payloads: payloads, kind: x.GetType().GetName(), activity: map[int64]string{}}
	events := c.Temporal().GetWorkflowHistory(ctx, t.run.GetWorkflowId(), t.run.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		ev, err := events.Next()
		if err != nil {
			return nil, err
		}
		t.take(ev)
	}
	return t.steps, t.unreadable
}

// add adds a step at the time of an event.
func (t *reader) add(ev *historypb.HistoryEvent, s Step) {
	s.Time, s.WorkflowID, s.RunID = ev.GetEventTime().AsTime(), t.run.GetWorkflowId(), t.run.GetRunId()
	t.steps = append(t.steps, s)
}
