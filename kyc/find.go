package kyc

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
)

// Found is a verification as it stands.
type Found struct {
	State State
	RunID string
}

// Find is State together with the run that it is about.
func (c *Client) Find(ctx context.Context, userID string) (Found, error) {
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
