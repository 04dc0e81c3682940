package kyc

import (
	"context"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/didit"
)

// Step is one entry of a user's story, as Temporal's histories tell it.
type Step struct {
	Time       time.Time `json:"time"`
	WorkflowID string    `json:"workflow_id"`
	RunID      string    `json:"run_id"`
	What       StepKind  `json:"what"`
	// Status is Didit's, word for word: what an event or a decision said, or what an order made of the session.
	Status    didit.Status `json:"status,omitempty"`
	Outcome   Outcome      `json:"outcome,omitempty"`
	SessionID string       `json:"session_id,omitempty"`
	Actor     string       `json:"actor,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	// Note says what the rest does not: an error, what was before, when Didit says that it happened.
	Note string `json:"note,omitempty"`
}

// StepKind says what a Step is.
type StepKind string

// What a story consists of.
const (
	StepStarted   StepKind = "started"         // a verification began
	StepSession   StepKind = "session made"    // Didit made the session, or it was found
	StepEvent     StepKind = "event"           // a webhook of Didit
	StepDecision  StepKind = "decision read"   // Didit's decision, the authority
	StepOrder     StepKind = "order"           // an operator asked for something
	StepOrderDone StepKind = "order done"      // and this became of it
	StepDeleted   StepKind = "session deleted" // of a verification that was cancelled
	StepResumed   StepKind = "late update"     // an event after the end began another run
	StepEnded     StepKind = "ended"           // the verification's outcome
	StepFailed    StepKind = "failed"          // something was refused, or stopped by hand
)

// maxRuns bounds the story of one user: far more than a session cap leaves room for.
const maxRuns = 1000

// Story tells all that Temporal remembers of a user, oldest first: verifications, what Didit said, what operators did.
// What its retention has deleted is missing. A worker need not run.
func (c *Client) Story(ctx context.Context, userID string) ([]Step, error) {
	if err := ValidateUserID(userID); err != nil {
		return nil, err
	}
	runs, err := c.runsOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	var story []Step
	for _, x := range runs {
		steps, err := c.tell(ctx, x)
		if isNotFound(err) { // its retention is over
			continue
		}
		if err != nil {
			return nil, clientError("read the history of", userID, err)
		}
		story = append(story, steps...)
	}
	if len(story) == 0 {
		return nil, clientError("tell the story of", userID, ErrNotFound)
	}
	slices.SortStableFunc(story, func(a, b Step) int { return a.Time.Compare(b.Time) })
	return story, nil
}

// runsOf lists the user's runs, oldest first. The visibility store lags a little, so the newest verification is asked for.
func (c *Client) runsOf(ctx context.Context, userID string) ([]*workflowpb.WorkflowExecutionInfo, error) {
	var runs []*workflowpb.WorkflowExecutionInfo
	seen := map[string]bool{}
	add := func(x *workflowpb.WorkflowExecutionInfo) {
		if id := x.GetExecution().GetRunId(); id != "" && !seen[id] && belongs(x.GetExecution().GetWorkflowId(), userID) {
			seen[id] = true
			runs = append(runs, x)
		}
	}
	newest, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if err != nil && !isNotFound(err) {
		return nil, clientError("tell the story of", userID, err)
	}
	add(newest.GetWorkflowExecutionInfo())
	var token []byte
	for first := true; first || len(token) > 0 && len(runs) < maxRuns; first = false {
		page, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: c.namespace, PageSize: 200, NextPageToken: token, Query: storyQuery(userID),
		})
		if err != nil {
			return nil, clientError("tell the story of", userID, err)
		}
		for _, x := range page.GetExecutions() {
			add(x)
		}
		token = page.GetNextPageToken()
	}
	slices.SortStableFunc(runs, func(a, b *workflowpb.WorkflowExecutionInfo) int {
		return a.GetStartTime().AsTime().Compare(b.GetStartTime().AsTime())
	})
	return runs, nil
}

// teller turns the events of one run into steps.
type teller struct {
	c        *Client
	run      *commonpb.WorkflowExecution
	kind     string           // the workflow's type
	activity map[int64]string // by the id of the event that scheduled it
	steps    []Step

	unreadable error // what is encrypted with a key that is not at hand
}

func (c *Client) tell(ctx context.Context, x *workflowpb.WorkflowExecutionInfo) ([]Step, error) {
	t := &teller{c: c, run: x.GetExecution(), kind: x.GetType().GetName(), activity: map[int64]string{}}
	events := c.temporal.GetWorkflowHistory(ctx, t.run.GetWorkflowId(), t.run.GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
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
func (t *teller) add(ev *historypb.HistoryEvent, s Step) {
	s.Time, s.WorkflowID, s.RunID = ev.GetEventTime().AsTime(), t.run.GetWorkflowId(), t.run.GetRunId()
	t.steps = append(t.steps, s)
}
