package kyc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// OperationError says why an operator's order was not done.
type OperationError struct {
	UserID  string
	What    string // a Verb or an update
	Type    string // an ErrorType constant; empty if somebody stopped the operation
	Message string
}

func (e *OperationError) Error() string {
	return fmt.Sprintf("%s user %s: %s: %s", e.What, e.UserID, cmp.Or(e.Type, "not done"), e.Message)
}

// Operate carries out an order about the user's session, open or closed, and waits until it is done. An order that is
// not done is an *OperationError. When ctx ends first the operation goes on; with the same ID a second call joins it.
func (c *Client) Operate(ctx context.Context, op Operation) (OperationResult, error) {
	if err := op.Validate(); err != nil {
		return OperationResult{}, err
	}
	run, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       OperationID(op.UserID, op.Verb, cmp.Or(op.ID, uuid.NewString())),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:            fmt.Sprintf("%s user %s (%s, %s)", op.Verb, op.UserID, op.Actor, op.Reason),
	}, WorkflowOperation, op)
	if err != nil {
		return OperationResult{}, clientError(string(op.Verb), op.UserID, err)
	}
	var result OperationResult
	if err := run.Get(ctx, &result); err != nil {
		return OperationResult{}, operationError(string(op.Verb), op.UserID, err)
	}
	return result, nil
}

// Request is an update of an operator.
type Request struct {
	Operator
	// ID makes a repeat join the first request and get its answer. Empty takes a new one for Refresh, and for Cancel one
	// that all share.
	ID string
}

// Refresh makes the user's open verification read Didit's decision now, and returns how it stands then.
func (c *Client) Refresh(ctx context.Context, userID string, r Request) (State, error) {
	return c.update(ctx, userID, UpdateRefresh, cmp.Or(r.ID, UpdateRefresh+":"+uuid.NewString()), r.Operator)
}

// Cancel ends the user's open verification as cancelled, and returns how it ended. A session that the person has not
// opened is deleted at Didit; any other stays there, and a verdict on it is reported as a late update.
func (c *Client) Cancel(ctx context.Context, userID string, r Request) (State, error) {
	return c.update(ctx, userID, UpdateCancel, cmp.Or(r.ID, UpdateCancel), r.Operator)
}

func (c *Client) update(ctx context.Context, userID, name, id string, by Operator) (State, error) {
	var state State
	if err := errors.Join(ValidateUserID(userID), by.Validate()); err != nil {
		return state, err
	}
	update, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: WorkflowID(userID), UpdateName: name, UpdateID: id,
		WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{by},
	})
	if err == nil {
		err = update.Get(ctx, &state)
	}
	if isNotFound(err) {
		return c.notOpen(ctx, userID, name)
	}
	if err != nil {
		return State{}, operationError(name, userID, err)
	}
	return state, nil
}

// notOpen tells a verification that has ended from one that never was.
func (c *Client) notOpen(ctx context.Context, userID, what string) (State, error) {
	state, err := c.State(ctx, userID)
	if err != nil {
		return State{}, err
	}
	return State{}, &OperationError{UserID: userID, What: what, Type: ErrorTypeRefused, Message: HasEnded(state)}
}

// HasEnded says that a verification is over, and how.
func HasEnded(s State) string {
	return fmt.Sprintf("the verification has ended: %s", s.Outcome)
}

func operationError(what, userID string, err error) error {
	var app *temporal.ApplicationError
	var ended *temporal.WorkflowExecutionError
	switch {
	case errors.As(err, &app):
		return &OperationError{UserID: userID, What: what, Type: app.Type(), Message: app.Message()}
	case errors.As(err, &ended):
		return &OperationError{UserID: userID, What: what, Message: ended.Error()}
	}
	return clientError(what, userID, err)
}

// SessionOf returns Didit's id of the session of the user's newest verification that has one; empty if Temporal
// remembers none.
func (c *Client) SessionOf(ctx context.Context, userID string) (string, error) {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if err != nil && !isNotFound(err) {
		return "", clientError("look for the session of", userID, err)
	}
	if id := attributeIn(desc.GetWorkflowExecutionInfo().GetSearchAttributes(), AttributeSessionID); id != "" {
		return id, nil
	}
	// The newest has none, or is forgotten. Operations may outlive what they are about.
	found, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: 100,
		Query: fmt.Sprintf("(%s) AND %s IS NOT NULL", storyQuery(userID), AttributeSessionID),
	})
	if err != nil {
		return "", clientError("look for the session of", userID, err)
	}
	var session string
	var newest time.Time
	var verification bool
	for _, x := range found.GetExecutions() {
		if !belongs(x.GetExecution().GetWorkflowId(), userID) {
			continue
		}
		own, at := x.GetType().GetName() == WorkflowVerification, x.GetStartTime().AsTime()
		if own == verification && at.After(newest) || own && !verification {
			session, newest, verification = attributeIn(x.GetSearchAttributes(), AttributeSessionID), at, own
		}
	}
	return session, nil
}

// CountRuns counts the runs that a workflow id has had, as far as Temporal remembers.
func (c *Client) CountRuns(ctx context.Context, workflowID string) (int64, error) {
	n, err := c.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: c.namespace, Query: fmt.Sprintf("WorkflowId = '%s'", workflowID),
	})
	if err != nil {
		return 0, fmt.Errorf("count the runs of %s: %w", workflowID, err)
	}
	return n.GetCount(), nil
}

// storyQuery finds everything about a user: verifications, news after their end, operations.
func storyQuery(userID string) string {
	return fmt.Sprintf("WorkflowId = '%s' OR WorkflowId STARTS_WITH '%s~'", WorkflowID(userID), WorkflowID(userID))
}

// attributeIn is empty for a search attribute that is not set.
func attributeIn(a *commonpb.SearchAttributes, name string) (value string) {
	if json.Unmarshal(a.GetIndexedFields()[name].GetData(), &value) != nil {
		return ""
	}
	return value
}
