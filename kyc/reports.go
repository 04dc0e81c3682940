package kyc

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// LastReport returns what was said about a session of a user last, and the run of an open verification with it, if there
// is one. The zero State means that Temporal does not remember: runs are deleted after the namespace's retention.
func (c *Client) LastReport(ctx context.Context, userID, sessionID string) (last State, openRun string, err error) {
	runs, err := c.runsWith(ctx, userID, sessionID)
	if err != nil {
		return State{}, "", err
	}
	for _, runID := range runs {
		desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID)
		if isNotFound(err) { // its retention is over
			continue
		}
		if err != nil {
			return State{}, "", clientError("look for reports of", userID, err)
		}
		info := desc.GetWorkflowExecutionInfo()
		state, err := c.reported(ctx, userID, info.GetExecution().GetRunId(), info.GetStatus())
		if err != nil {
			return State{}, "", err
		}
		if state.SessionID != sessionID {
			continue
		}
		if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return State{}, info.GetExecution().GetRunId(), nil
		}
		if !state.UpdatedAt.Before(last.UpdatedAt) {
			last = state
		}
	}
	return last, "", nil
}

// reported is what a run says, or said at its end; the zero State if it ended without a result.
func (c *Client) reported(ctx context.Context, userID, runID string, status enumspb.WorkflowExecutionStatus) (State, error) {
	if status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return c.query(ctx, userID, runID)
	}
	return c.verdict(ctx, userID, runID)
}

// runsWith lists the user's newest run, and all that the visibility store, which lags a little, has for the session.
func (c *Client) runsWith(ctx context.Context, userID, sessionID string) ([]string, error) {
	runs := []string{""} // the newest, whatever its id
	found, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: 20,
		Query: fmt.Sprintf("WorkflowId = '%s' AND %s = '%s'", WorkflowID(userID), AttributeSessionID, sessionID),
	})
	if err != nil {
		return nil, clientError("look for reports of", userID, err)
	}
	for _, x := range found.GetExecutions() {
		runs = append(runs, x.GetExecution().GetRunId())
	}
	return runs, nil
}

// Forward hands an event to a run of the user's verification, or to the newest for an empty runID. It reports false if that
// is not open any more.
func (c *Client) Forward(ctx context.Context, userID, runID string, ev DiditEvent) (bool, error) {
	err := c.temporal.SignalWorkflow(withRequestID(ctx, ev.EventID), WorkflowID(userID), runID, SignalDiditEvent, ev)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, clientError("forward an event to", userID, err)
	}
	return true, nil
}

func isNotFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}
