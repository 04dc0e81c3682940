package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/kyc"
)

// maxRuns bounds the runs that are read of one user: far more than a session cap leaves room for.
const maxRuns = 1000

// userQuery finds the user's workflows of all types. Some visibility stores do not distinguish upper and lower case, so
// filter the answer with belongs.
func userQuery(userID string) string {
	return fmt.Sprintf("WorkflowId = '%s' OR WorkflowId STARTS_WITH '%s~'", kyc.WorkflowID(userID), kyc.WorkflowID(userID))
}

func belongs(workflowID, userID string) bool {
	own := kyc.WorkflowID(userID)
	return workflowID == own || strings.HasPrefix(workflowID, own+"~")
}

// runsOf lists the user's runs, oldest first. The visibility store lags a little, so it asks for the newest verification too.
func (c *Client) runsOf(ctx context.Context, userID string) ([]*workflowpb.WorkflowExecutionInfo, error) {
	var runs []*workflowpb.WorkflowExecutionInfo
	listed := map[string]bool{}
	add := func(x *workflowpb.WorkflowExecutionInfo) {
		if id := x.GetExecution().GetRunId(); id != "" && !listed[id] && belongs(x.GetExecution().GetWorkflowId(), userID) {
			listed[id] = true
			runs = append(runs, x)
		}
	}
	newest, err := c.Describe(ctx, userID, "")
	if err != nil && !isNotFound(err) {
		return nil, userError("list the runs of", userID, err)
	}
	add(newest.GetWorkflowExecutionInfo())
	var token []byte
	for first := true; first || len(token) > 0 && len(runs) < maxRuns; first = false {
		page, err := c.Temporal().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: c.Namespace(), PageSize: 200, NextPageToken: token, Query: userQuery(userID),
		})
		if err != nil {
			return nil, userError("list the runs of", userID, err)
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

// list returns the first page of the runs that a query finds.
func (c *Client) list(ctx context.Context, size int32, query string) ([]*workflowpb.WorkflowExecutionInfo, error) {
	page, err := c.Temporal().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: c.Namespace(), PageSize: size, Query: query})
	return page.GetExecutions(), err
}

// SessionOf returns Didit's id of the session of the user's newest verification that has one; empty if Temporal
// remembers none.
func (c *Client) SessionOf(ctx context.Context, userID string) (string, error) {
	desc, err := c.Describe(ctx, userID, "")
	if err != nil && !isNotFound(err) {
		return "", userError("find the session of", userID, err)
	}
	if id := kyc.SummaryOf(desc.GetWorkflowExecutionInfo()).SessionID; id != "" {
		return id, nil
	}
	// The newest has none, or was deleted. Operations may outlive the verification that they acted on.
	found, err := c.list(ctx, 100, fmt.Sprintf("(%s) AND %s IS NOT NULL", userQuery(userID), kyc.AttributeSessionID))
	if err != nil {
		return "", userError("find the session of", userID, err)
	}
	var session string
	var newest time.Time
	var verification bool
	for _, x := range found {
		if !belongs(x.GetExecution().GetWorkflowId(), userID) {
			continue
		}
		own, at := x.GetType().GetName() == kyc.WorkflowVerification, x.GetStartTime().AsTime()
		if own == verification && at.After(newest) || own && !verification {
			session, newest, verification = kyc.SummaryOf(x).SessionID, at, own
		}
	}
	return session, nil
}

// CountRuns counts the runs that a workflow id has had, as far as Temporal remembers.
func (c *Client) CountRuns(ctx context.Context, workflowID string) (int64, error) {
	n, err := c.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: c.Namespace(), Query: fmt.Sprintf("WorkflowId = '%s'", workflowID),
	})
	if err != nil {
		return 0, fmt.Errorf("count the runs of %s: %w", workflowID, err)
	}
	return n.GetCount(), nil
}

// earlierRuns is how many runs Predecessor reads: runs that knew nothing may lie between.
const earlierRuns = 10

// Predecessor returns the last state of the user's runs before runID; the zero Snapshot where Temporal remembers none, since
// runs are deleted after the namespace's retention, or by hand, also the one that a reset began. A run that completed has
// reported its result. For one that was terminated, reset or failed, a worker replays what it knew. State is of the newest
// run that knew anything, Reported of the newest that reported anything. While the list lacks runID it may lack others: then
// the error is kyc.ErrListLags, beside what is known.
func (c *Client) Predecessor(ctx context.Context, userID, runID string) (kyc.Snapshot, error) {
	query := fmt.Sprintf("WorkflowId = '%s' AND WorkflowType = '%s'", kyc.WorkflowID(userID), kyc.WorkflowVerification)
	runs, err := c.list(ctx, earlierRuns, query) // newest first
	if err != nil {
		return kyc.Snapshot{}, userError("list earlier runs of", userID, err)
	}
	if !slices.ContainsFunc(runs, func(x *workflowpb.WorkflowExecutionInfo) bool { return x.GetExecution().GetRunId() == runID }) {
		err = kyc.ErrListLags
	}
	last, readErr := c.lastOf(ctx, userID, runID, runs)
	return last, cmp.Or(readErr, err)
}

// lastOf is Predecessor for the runs of a list.
func (c *Client) lastOf(ctx context.Context, userID, runID string, runs []*workflowpb.WorkflowExecutionInfo) (last kyc.Snapshot, err error) {
	for _, x := range runs {
		id := x.GetExecution().GetRunId()
		if id == runID || x.GetExecution().GetWorkflowId() != kyc.WorkflowID(userID) { // some stores ignore case
			continue
		}
		final, err := c.finalSnapshot(ctx, userID, id)
		if errors.Is(err, errLost) {
			return kyc.Snapshot{}, nil
		}
		if err != nil && !isNotFound(err) {
			return kyc.Snapshot{}, userError("read an earlier run of", userID, err)
		}
		if last.State.SessionID == "" && last.State.Outcome == "" {
			last.State = final.State
		}
		if final.Reported != nil { // a run that reported nothing does not know what those before it reported
			last.Reported = final.Reported
			return last, nil
		}
	}
	return last, nil
}

// errLost says that it is not known what was reported after a run's last record. Either the run was reset, and the run that
// the reset began is deleted; or it was closed from outside during a workflow task, in which its worker may have reported, or
// during the delivery of a callback.
var errLost = errors.New("it is not known what was reported last")

// finalSnapshot is the snapshot of a closed run at its end; the zero Snapshot for one that is open.
func (c *Client) finalSnapshot(ctx context.Context, userID, runID string) (s kyc.Snapshot, err error) {
	desc, err := c.Describe(ctx, userID, runID)
	if err != nil {
		return s, err
	}
	if next := desc.GetWorkflowExtendedInfo().GetResetRunId(); next != "" {
		if _, err := c.Describe(ctx, userID, next); isNotFound(err) {
			return s, errLost
		}
	}
	switch desc.GetWorkflowExecutionInfo().GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return s, nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		var state kyc.State
		err := c.Temporal().GetWorkflow(ctx, kyc.WorkflowID(userID), runID).Get(ctx, &state)
		if err != nil || state.UserID == "" { // a late event of a session that is not ours
			return s, err
		}
		return kyc.Snapshot{State: state, Reported: &state}, nil
	}
	answer, err := c.Temporal().QueryWorkflow(ctx, kyc.WorkflowID(userID), runID, kyc.QueryVerification)
	if errors.As(err, new(*serviceerror.WorkflowNotReady)) { // closed before its first workflow task
		return s, nil
	}
	if err == nil {
		err = answer.Get(&s)
	}
	switch {
	case err != nil || s.Reported != nil:
	case s.Reporting:
		err = errLost
	default:
		err = c.checkTail(ctx, userID, runID)
	}
	return s, err
}

// checkTail returns errLost for a run that was closed during a workflow task.
func (c *Client) checkTail(ctx context.Context, userID, runID string) error {
	tail, err := c.Temporal().WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: c.Namespace(), Execution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(userID), RunId: runID}, MaximumPageSize: 20,
	})
	for _, ev := range tail.GetHistory().GetEvents() { // newest first
		switch ev.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			return errLost
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			return nil
		}
	}
	return err
}
