package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/kyc"
)

// OperationError says why an operator action was not carried out.
type OperationError struct {
	UserID  string
	What    string // a kyc.Verb or an update
	Type    string // an ErrorType constant of kyc; empty if the operation was stopped in Temporal
	Message string
}

func (e *OperationError) Error() string {
	return fmt.Sprintf("%s user %s: %s: %s", e.What, e.UserID, cmp.Or(e.Type, "not done"), e.Message)
}

// Operate carries out an operator action on the user's session, open or closed, and waits until it is done. One that is not
// done is an *OperationError. When ctx ends first the operation continues; a second call with the same ID joins it.
func (c *Client) Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error) {
	if err := op.Validate(); err != nil {
		return kyc.OperationResult{}, err
	}
	run, err := c.Temporal().ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       kyc.OperationID(op.UserID, op.Verb, cmp.Or(op.ID, uuid.NewString())),
		TaskQueue:                kyc.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:            fmt.Sprintf("%s user %s (%s, %s)", op.Verb, op.UserID, op.Actor, op.Reason),
	}, kyc.WorkflowOperation, op)
	if err != nil {
		return kyc.OperationResult{}, userError(string(op.Verb), op.UserID, err)
	}
	var result kyc.OperationResult
	if err := run.Get(ctx, &result); err != nil {
		return kyc.OperationResult{}, operationError(string(op.Verb), op.UserID, err)
	}
	return result, nil
}

// Request is an update that an operator sends.
type Request struct {
	kyc.Operator
	// ID makes a repeat join the first request and get its answer. If empty, Refresh takes a new one, and all calls
	// of Cancel share one.
	ID string
}

// Refresh makes the user's open verification read Didit's decision now, and returns how it stands then.
func (c *Client) Refresh(ctx context.Context, userID string, r Request) (kyc.State, error) {
	return c.update(ctx, userID, kyc.UpdateRefresh, cmp.Or(r.ID, kyc.UpdateRefresh+":"+uuid.NewString()), r.Operator)
}

// Cancel ends the user's open verification as cancelled, and returns how it ended. A session that the person has not
// opened is deleted at Didit; any other stays there, and a verdict on it is reported as a late update.
func (c *Client) Cancel(ctx context.Context, userID string, r Request) (kyc.State, error) {
	return c.update(ctx, userID, kyc.UpdateCancel, cmp.Or(r.ID, kyc.UpdateCancel), r.Operator)
}

func (c *Client) update(ctx context.Context, userID, name, id string, by kyc.Operator) (kyc.State, error) {
	var state kyc.State
	if err := errors.Join(kyc.ValidateUserID(userID), by.Validate()); err != nil {
		return state, err
	}
	update, err := c.Temporal().UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: kyc.WorkflowID(userID), UpdateName: name, UpdateID: id,
		WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{by},
	})
	if err == nil {
		err = update.Get(ctx, &state)
	}
	if isNotFound(err) {
		return c.notOpen(ctx, userID, name)
	}
	if err != nil {
		return kyc.State{}, operationError(name, userID, err)
	}
	return state, nil
}

// notOpen distinguishes a verification that has ended from one that never was.
func (c *Client) notOpen(ctx context.Context, userID, what string) (kyc.State, error) {
	state, err := c.State(ctx, userID)
	if err != nil {
		return kyc.State{}, err
	}
	return kyc.State{}, &OperationError{UserID: userID, What: what, Type: kyc.ErrorTypeRefused, Message: kyc.HasEnded(state)}
}

func operationError(what, userID string, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return &OperationError{UserID: userID, What: what, Type: app.Type(), Message: app.Message()}
	}
	if ended, ok := errors.AsType[*temporal.WorkflowExecutionError](err); ok {
		return &OperationError{UserID: userID, What: what, Message: ended.Error()}
	}
	return userError(what, userID, err)
}
