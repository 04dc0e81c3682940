package kyc

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// earlierRuns is how far Predecessor looks back: runs that knew nothing lie between.
const earlierRuns = 10

// Predecessor returns what the user's runs before runID said last; the zero Snapshot where Temporal remembers none, since
// runs are deleted after the namespace's retention, or by hand. A run that completed has reported its result; of one that
// was terminated, reset or failed a worker replays what it knew. State is of the newest run that knew anything, Reported of
// the newest that reported anything.
func (c *Client) Predecessor(ctx context.Context, userID, runID string) (Snapshot, error) {
	found, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: earlierRuns,
		Query: fmt.Sprintf("WorkflowId = '%s' AND WorkflowType = '%s'", WorkflowID(userID), WorkflowVerification),
	})
	if err != nil {
		return Snapshot{}, clientError("look for earlier runs of", userID, err)
	}
	var last Snapshot
	for _, x := range found.GetExecutions() { // newest first
		id := x.GetExecution().GetRunId()
		if id == runID || x.GetExecution().GetWorkflowId() != WorkflowID(userID) { // some stores ignore case
			continue
		}
		said, err := c.lastWords(ctx, userID, id)
		if err != nil && !isNotFound(err) {
			return Snapshot{}, err
		}
		if last.State.SessionID == "" && last.State.Outcome == "" {
			last.State = said.State
		}
		if said.Reported != nil { // a run that reported nothing does not know what those before it did
			last.Reported = said.Reported
			return last, nil
		}
	}
	return last, nil
}

// lastWords is what a closed run said at its end; the zero Snapshot for one that is open.
func (c *Client) lastWords(ctx context.Context, userID, runID string) (Snapshot, error) {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID)
	if err != nil {
		return Snapshot{}, err
	}
	switch desc.GetWorkflowExecutionInfo().GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return Snapshot{}, nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		state, err := c.verdict(ctx, userID, runID)
		if err != nil || state.UserID == "" { // a late event of a session that is not ours
			return Snapshot{}, err
		}
		return Snapshot{State: state, Reported: &state}, nil
	}
	return c.query(ctx, userID, runID)
}

func isNotFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone) || errors.Is(err, ErrNotFound)
}
