package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/kyc"
)

// eraseTimeout is how long EndForErasure waits for a worker to take the update.
const eraseTimeout = 10 * time.Second

// EndForErasure asks the user's newest verification to end as erased, if it is open, or terminates it. It does not wait
// for the end: call it again until nothing is open.
func (c *Client) EndForErasure(ctx context.Context, userID string, by kyc.EraseRequest, terminate bool) (kyc.EndedVerification, error) {
	desc, err := c.Describe(ctx, userID, "")
	if isNotFound(err) {
		return kyc.EndedVerification{}, nil
	}
	if err != nil {
		return kyc.EndedVerification{}, userError("read the newest verification of", userID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	run := info.GetExecution().GetRunId()
	switch {
	case info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		var ended kyc.EndedVerification
		if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED && kyc.SummaryOf(info).SessionID == "" {
			ended.Stopped = info.GetCloseTime().AsTime()
		}
		return ended, nil
	case terminate:
		err = c.Temporal().TerminateWorkflow(ctx, kyc.WorkflowID(userID), run, "erased by "+by.String())
	default:
		bounded, cancel := context.WithTimeout(ctx, eraseTimeout)
		defer cancel()
		_, err = c.Temporal().UpdateWorkflow(bounded, client.UpdateWorkflowOptions{
			WorkflowID: kyc.WorkflowID(userID), RunID: run, UpdateName: kyc.UpdateErase, UpdateID: kyc.UpdateErase,
			WaitForStage: client.WorkflowUpdateStageAccepted, Args: []any{by},
		})
	}
	if err != nil && !isNotFound(err) {
		return kyc.EndedVerification{Open: true}, userError("end the verification of", userID, err)
	}
	return kyc.EndedVerification{Open: true}, nil
}

// maxDeletions bounds one call of DeleteRuns.
const maxDeletions = 100

// DeleteRuns deletes what Temporal has of the user, except an open verification and the records of erasures that run or
// completed. It terminates what still runs of the rest. Call it until nothing is left: Temporal deletes when its queues
// have come so far, by default half a minute to some minutes after the end of a run.
func (c *Client) DeleteRuns(ctx context.Context, userID string) (d kyc.DeletedRuns, err error) {
	runs, err := c.runsOf(ctx, userID)
	if err != nil {
		return d, err
	}
	for _, x := range runs {
		id, open := x.GetExecution().GetWorkflowId(), x.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
		if isErasure(id, userID) && (open || x.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED) {
			continue // one that failed may have an input that should not be kept
		}
		d.Left++
		if open && id == kyc.WorkflowID(userID) {
			d.Open = true
			continue
		}
		if len(d.Deleting) == maxDeletions {
			continue
		}
		err := c.deleteRun(ctx, id, x.GetExecution().GetRunId())
		if isNotFound(err) { // gone; the list lags behind
			continue
		}
		if err != nil {
			return d, userError("delete a run of", userID, err)
		}
		d.Deleting = append(d.Deleting, x.GetExecution().GetRunId())
	}
	return d, nil
}

func (c *Client) deleteRun(ctx context.Context, workflowID, runID string) error {
	_, err := c.Temporal().WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: c.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
	})
	return err
}

// DeleteRun deletes one run of the user's verification from Temporal.
func (c *Client) DeleteRun(ctx context.Context, userID, runID string) error {
	if err := c.deleteRun(ctx, kyc.WorkflowID(userID), runID); err != nil && !isNotFound(err) {
		return userError("delete a run of", userID, err)
	}
	return nil
}

// Erased reports whether the user has been erased, as far as Temporal remembers.
func (c *Client) Erased(ctx context.Context, userID string) (bool, error) {
	found, err := c.list(ctx, maxDeletions, fmt.Sprintf("WorkflowId STARTS_WITH '%s'", kyc.OperationID(userID, kyc.VerbErase, "")))
	if err != nil {
		return false, userError("find erasures of", userID, err)
	}
	return slices.ContainsFunc(found, func(x *workflowpb.WorkflowExecutionInfo) bool {
		return isErasure(x.GetExecution().GetWorkflowId(), userID)
	}), nil
}

func isErasure(workflowID, userID string) bool {
	return strings.HasPrefix(workflowID, kyc.OperationID(userID, kyc.VerbErase, ""))
}
