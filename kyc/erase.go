package kyc

import (
	"context"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Erased counts what an erasure has deleted.
type Erased struct {
	// Sessions are those at Didit that were deleted, each with privacy_erasure.
	Sessions int `json:"sessions"`
	// Users is 1 if Didit had a user entity of the user.
	Users int `json:"users"`
	// Runs are the workflow runs that were deleted from Temporal: verifications, news after their end, orders.
	Runs int `json:"runs"`
	// Ended is set if a verification was open.
	Ended bool `json:"ended"`
	// UserKept is set if Didit's user entity stays, as sessions of another user of yours hang on it, whose id differs only
	// in upper and lower case.
	UserKept bool `json:"user_kept"`
}

// String tells it in a few words.
func (e Erased) String() string {
	user := "no user"
	switch {
	case e.UserKept:
		user = "the user kept, for another whose id differs only in case"
	case e.Users > 0:
		user = "the user"
	}
	return fmt.Sprintf("erased at Didit: %d sessions, %s; in Temporal: %d runs", e.Sessions, user, e.Runs)
}

// EraseRequest is the argument of the update "erase". It names the Operation that sends it and does the rest.
type EraseRequest struct {
	Operator
	OperationID string `json:"operation_id"` // its workflow id
}

// Validate refuses an operator who breaks a rule, and a request that no erasure of the user has sent.
func (r EraseRequest) Validate(userID string) error {
	if err := (Operation{UserID: userID, Verb: VerbErase}).ValidateWorkflowID(r.OperationID); err != nil {
		return fmt.Errorf("%w: start an Operation with the verb erase, which sends this update and erases at Didit too", err)
	}
	return r.Operator.Validate()
}

// Newest is what an erasure finds of the user's newest verification.
type Newest struct {
	Open bool
	// Stopped is when it was stopped in Temporal before it had a session: a create may have been under way then.
	Stopped time.Time
}

// askPatience is how long EndForErasure waits for a worker to take the update.
const askPatience = 10 * time.Second

// EndForErasure asks the user's newest verification to end as erased, if it is open, or terminates it. It does not wait
// for the end: call it again until nothing is open.
func (c *Client) EndForErasure(ctx context.Context, userID string, by EraseRequest, terminate bool) (Newest, error) {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if isNotFound(err) {
		return Newest{}, nil
	}
	if err != nil {
		return Newest{}, clientError("look for", userID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	run := info.GetExecution().GetRunId()
	switch {
	case info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return Newest{Stopped: stopped(info)}, nil
	case terminate:
		err = c.temporal.TerminateWorkflow(ctx, WorkflowID(userID), run, "erased by "+by.String())
	default:
		asking, cancel := context.WithTimeout(ctx, askPatience)
		defer cancel()
		_, err = c.temporal.UpdateWorkflow(asking, client.UpdateWorkflowOptions{
			WorkflowID: WorkflowID(userID), RunID: run, UpdateName: UpdateErase, UpdateID: UpdateErase,
			WaitForStage: client.WorkflowUpdateStageAccepted, Args: []any{by},
		})
	}
	if err != nil && !isNotFound(err) {
		return Newest{Open: true}, clientError("end", userID, err)
	}
	return Newest{Open: true}, nil
}

// stopped is when a run ended otherwise than by itself without a session; else zero.
func stopped(info *workflowpb.WorkflowExecutionInfo) time.Time {
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED || attributeIn(info.GetSearchAttributes(), AttributeSessionID) != "" {
		return time.Time{}
	}
	return info.GetCloseTime().AsTime()
}

// Forgotten is what one call of Forget found.
type Forgotten struct {
	// Deleting are the ids of runs that Temporal was told to delete. It does so some time later, so that the same run may be
	// found again.
	Deleting []string
	// Left counts what was found: runs that are to go, or are still listed. Zero means that all is gone.
	Left int
	// Open is set if one of them is an open verification, which was left alone.
	Open bool
}

// forgetMost bounds one call of Forget.
const forgetMost = 100

// Forget deletes from Temporal what it has of the user, but for an open verification and for the records of erasures:
// those that are done, and those that run. What still runs of the rest is terminated. Call it until nothing is left:
// Temporal deletes when its queues have come so far, by default half a minute to some minutes after the end of a run.
func (c *Client) Forget(ctx context.Context, userID string) (f Forgotten, err error) {
	runs, err := c.runsOf(ctx, userID)
	if err != nil {
		return f, err
	}
	for _, x := range runs {
		id, open := x.GetExecution().GetWorkflowId(), x.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
		if isErasure(id, userID) && (open || x.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED) {
			continue // one that failed may have an input that should not be kept
		}
		f.Left++
		if open && id == WorkflowID(userID) {
			f.Open = true
			continue
		}
		if len(f.Deleting) == forgetMost {
			continue
		}
		err := c.deleteRun(ctx, id, x.GetExecution().GetRunId())
		if isNotFound(err) { // gone; the list lags behind
			continue
		}
		if err != nil {
			return f, clientError("delete", userID, err)
		}
		f.Deleting = append(f.Deleting, x.GetExecution().GetRunId())
	}
	return f, nil
}

func (c *Client) deleteRun(ctx context.Context, workflowID, runID string) error {
	_, err := c.temporal.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: c.namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
	})
	return err
}

// Erased reports whether the user has been erased, as far as Temporal remembers.
func (c *Client) Erased(ctx context.Context, userID string) (bool, error) {
	found, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: forgetMost,
		Query: fmt.Sprintf("WorkflowId STARTS_WITH '%s'", OperationID(userID, VerbErase, "")),
	})
	if err != nil {
		return false, clientError("look for an erasure of", userID, err)
	}
	for _, x := range found.GetExecutions() {
		if isErasure(x.GetExecution().GetWorkflowId(), userID) {
			return true, nil
		}
	}
	return false, nil
}

// ForgetRun deletes one run of the user's verification from Temporal.
func (c *Client) ForgetRun(ctx context.Context, userID, runID string) error {
	if err := c.deleteRun(ctx, WorkflowID(userID), runID); err != nil && !isNotFound(err) {
		return clientError("delete a run of", userID, err)
	}
	return nil
}

func isErasure(workflowID, userID string) bool {
	return strings.HasPrefix(workflowID, OperationID(userID, VerbErase, ""))
}

// belongs reports whether a workflow is about the user. Some visibility stores do not tell upper from lower case.
func belongs(workflowID, userID string) bool {
	own := WorkflowID(userID)
	return workflowID == own || strings.HasPrefix(workflowID, own+"~")
}
