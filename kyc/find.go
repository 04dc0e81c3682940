package kyc

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// Found is a verification as it stands.
type Found struct {
	State State
	// Session holds the URL that the person must open; zero before there is a session and after the end.
	Session Session
	RunID   string
}

// Find is State together with the run that it is about and, while the person may still act, the session.
func (c *Client) Find(ctx context.Context, userID string) (Found, error) {
	found, err := c.find(ctx, userID)
	if err != nil || found.State.SessionID == "" || found.State.Outcome != "" {
		return found, err
	}
	session, err := c.session(ctx, userID, found.RunID)
	if err == nil {
		found.Session, found.Session.Status = session, found.State.Status
		return found, nil
	}
	now, lookErr := c.find(ctx, userID)
	if lookErr == nil && (now.RunID != found.RunID || now.State.Outcome != "") { // it ended between the two questions
		return now, nil
	}
	return Found{}, err
}

// session asks a run that has a session for it. The run has answered the same update before, so nothing is added to its
// history, unless nobody had asked yet.
func (c *Client) session(ctx context.Context, userID, runID string) (s Session, err error) {
	update, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: WorkflowID(userID), RunID: runID, UpdateID: UpdateSession, UpdateName: UpdateSession,
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = update.Get(ctx, &s)
	}
	if err != nil {
		return Session{}, clientError("read the session of", userID, err)
	}
	return s, nil
}

func (c *Client) find(ctx context.Context, userID string) (Found, error) {
	if err := ValidateUserID(userID); err != nil {
		return Found{}, err
	}
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if err != nil {
		return Found{}, clientError("read the state of", userID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	found := Found{RunID: info.GetExecution().GetRunId()}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		found.State, err = c.verdict(ctx, userID, found.RunID)
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		found.State, err = c.query(ctx, userID, found.RunID)
	default:
		err = &EndedError{UserID: userID, RunID: found.RunID, Status: info.GetStatus().String()}
	}
	if err != nil {
		return Found{}, err
	}
	return found, nil
}
