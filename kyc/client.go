package kyc

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Client talks to verifications through Temporal; Dial makes one. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	namespace string
	payloads  converter.DataConverter // of histories that the client reads itself
}

// Temporal is the connection, for workers and for what this package does not wrap.
func (c *Client) Temporal() client.Client { return c.temporal }

// Namespace is the Temporal namespace of the connection.
func (c *Client) Namespace() string { return c.namespace }

// Close ends the connection.
func (c *Client) Close() { c.temporal.Close() }

// State returns how the user's newest verification stands, with what Didit changed after its end, or ErrNotFound. For
// an open one a worker must be running. A verification that was terminated, or failed by a fault, is an *EndedError.
func (c *Client) State(ctx context.Context, userID string) (State, error) {
	found, err := c.find(ctx, userID)
	return found.State, err
}

// query asks a run how it stands.
func (c *Client) query(ctx context.Context, userID, runID string) (State, error) {
	var state State
	answer, err := c.temporal.QueryWorkflow(ctx, WorkflowID(userID), runID, QueryState)
	if err != nil {
		return State{}, clientError("read the state of", userID, err)
	}
	if err := answer.Get(&state); err != nil {
		return State{}, clientError("decode the state of", userID, err)
	}
	return state, nil
}

// verdict reads the result of a closed run, with what Didit changed since; the zero State if it was cancelled,
// terminated or failed. It needs no worker.
func (c *Client) verdict(ctx context.Context, userID, runID string) (State, error) {
	var state State
	err := c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, &state)
	var ended *temporal.WorkflowExecutionError
	if errors.As(err, &ended) {
		return State{}, nil
	}
	if err != nil {
		return State{}, clientError("read the result of", userID, err)
	}
	return c.withChanges(ctx, state)
}

// withChanges returns the newest word on the session of state: a reviewer may have changed his mind, or the document
// may have expired, long after the verification ended.
func (c *Client) withChanges(ctx context.Context, state State) (State, error) {
	if state.SessionID == "" {
		return state, nil
	}
	changes, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: 10,
		Query: fmt.Sprintf("WorkflowType = '%s' AND %s = '%s' AND ExecutionStatus = 'Completed'",
			WorkflowDecisionChange, AttributeSessionID, state.SessionID),
	})
	if err != nil {
		return State{}, clientError("look for changes of", state.UserID, err)
	}
	for _, x := range changes.GetExecutions() {
		var change ChangeResult
		id := x.GetExecution()
		if err := c.temporal.GetWorkflow(ctx, id.GetWorkflowId(), id.GetRunId()).Get(ctx, &change); err != nil {
			return State{}, clientError("read a change of", state.UserID, err)
		}
		if change.State.UserID == state.UserID && change.State.UpdatedAt.After(state.UpdatedAt) {
			state = change.State
		}
	}
	return state, nil
}

// Wait returns the result of the user's newest verification once it has ended, or ErrNotFound. A verification that
// was cancelled or terminated in Temporal is an error.
func (c *Client) Wait(ctx context.Context, userID string) (State, error) {
	if err := ValidateUserID(userID); err != nil {
		return State{}, err
	}
	var state State
	if err := c.temporal.GetWorkflow(ctx, WorkflowID(userID), "").Get(ctx, &state); err != nil {
		return State{}, clientError("wait for", userID, err)
	}
	return c.withChanges(ctx, state)
}

// Ready reports whether Temporal can be reached and knows the namespace.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.namespace})
	if err != nil {
		return fmt.Errorf("reach Temporal's namespace %s: %w", c.namespace, err)
	}
	return nil
}

func clientError(what, userID string, err error) error {
	if isNotFound(err) {
		err = ErrNotFound
	}
	return fmt.Errorf("%s the verification of user %s: %w", what, userID, err)
}
