package kyc

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Found is the current state of a verification.
type Found struct {
	State State
	// Session holds the URL that the person must open; zero unless the next step is the person's.
	Session Session
	RunID   string
	// Paused lists the activities that an operator has paused: the verification waits until they are unpaused.
	Paused []PausedActivity
}

// PausedActivity is an activity of an open run that an operator has paused in Temporal.
type PausedActivity struct {
	Activity string    `json:"activity"`
	By       string    `json:"by,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// Find returns the state with its run and, while the next step is the person's, the session.
func (c *Client) Find(ctx context.Context, userID string) (Found, error) {
	return c.find(ctx, userID, false)
}

// FindEnded returns the state that a run ended with. It costs one call to Temporal, where Find costs two, and does not notice
// a run that began since. ErrNotFound means that the run has no result.
func (c *Client) FindEnded(ctx context.Context, userID, runID string) (Found, error) {
	if err := ValidateUserID(userID); err != nil {
		return Found{}, err
	}
	state, err := c.verdict(ctx, userID, runID)
	if err == nil && state.UserID == "" { // a late event of a session that is not ours
		err = clientError("read the state of", userID, ErrNotFound)
	}
	return Found{State: state, RunID: runID}, err
}

// find is Find. With outcomeOnly it queries a worker only if the run has an outcome: thousands may wait for weeks, and every
// query costs a worker time, while search attributes do not.
func (c *Client) find(ctx context.Context, userID string, outcomeOnly bool) (Found, error) {
	if err := ValidateUserID(userID); err != nil {
		return Found{}, err
	}
	desc, err := c.Describe(ctx, userID, "")
	if err != nil {
		return Found{}, clientError("read the state of", userID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	found := Found{RunID: info.GetExecution().GetRunId(), Paused: pausedActivities(desc)}
	if err := runError(userID, desc); err != nil {
		return found, err
	}
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		ended, err := c.FindEnded(ctx, userID, found.RunID)
		found.State = ended.State
		return found, err
	}
	if outcomeOnly && attributeIn(info.GetSearchAttributes(), AttributeOutcome) == "" {
		return found, nil
	}
	s, err := c.query(ctx, userID, found.RunID)
	found.State, found.Session = s.State, s.Session
	return found, err
}

// Describe returns what Temporal itself knows of a run of the user's verification: its status, times and search attributes. An
// empty runID is the newest run.
func (c *Client) Describe(ctx context.Context, userID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	// DescribeWorkflow, which replaces it, needs an answer that has search attributes; a call of the bare service is not retried.
	return c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID) //nolint:staticcheck // deprecated
}

// runError says why a run has no state; nil if it has one.
func runError(userID string, desc *workflowservice.DescribeWorkflowExecutionResponse) error {
	info := desc.GetWorkflowExecutionInfo()
	e := &RunError{UserID: userID, RunID: info.GetExecution().GetRunId(), Status: info.GetStatus().String()}
	queue := desc.GetExecutionConfig().GetTaskQueue().GetName()
	switch {
	case info.GetType().GetName() != WorkflowVerification:
		e.Reason, e.Status = RunOccupied, "a workflow of type "+info.GetType().GetName()
	case queue != "" && queue != TaskQueue:
		e.Reason, e.Status = RunOccupied, "a workflow on task queue "+queue
	case info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		e.Reason = RunPaused
	case info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return nil
	default:
		e.Reason = RunEnded
	}
	return e
}

func pausedActivities(desc *workflowservice.DescribeWorkflowExecutionResponse) []PausedActivity {
	var paused []PausedActivity
	for _, a := range desc.GetPendingActivities() {
		if !a.GetPaused() {
			continue
		}
		p := PausedActivity{Activity: a.GetActivityType().GetName(), By: a.GetPauseInfo().GetManual().GetIdentity()}
		if at := a.GetPauseInfo().GetPauseTime(); at != nil {
			p.Since = at.AsTime()
		}
		paused = append(paused, p)
	}
	return paused
}
