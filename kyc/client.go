package kyc

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// Client talks to verifications through Temporal; Dial makes one. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	namespace string
}

// Temporal is the connection, for workers and for what this package does not wrap.
func (c *Client) Temporal() client.Client { return c.temporal }

// Namespace is the Temporal namespace of the connection.
func (c *Client) Namespace() string { return c.namespace }

// Close ends the connection.
func (c *Client) Close() { c.temporal.Close() }

// State returns how the user's newest verification stands, or ErrNotFound. For an open one a worker must be running.
func (c *Client) State(ctx context.Context, userID string) (State, error) {
	if err := ValidateUserID(userID); err != nil {
		return State{}, err
	}
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if err != nil {
		return State{}, clientError("read the state of", userID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	return c.stateOf(ctx, userID, info.GetExecution().GetRunId(), info.GetStatus())
}

// stateOf reads the result of a completed run, which needs no worker, and asks any other run.
func (c *Client) stateOf(ctx context.Context, userID, runID string, status enumspb.WorkflowExecutionStatus) (State, error) {
	var state State
	if status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		if err := c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, &state); err != nil {
			return State{}, clientError("read the result of", userID, err)
		}
		return state, nil
	}
	answer, err := c.temporal.QueryWorkflow(ctx, WorkflowID(userID), runID, QueryState)
	if err != nil {
		return State{}, clientError("read the state of", userID, err)
	}
	if err := answer.Get(&state); err != nil {
		return State{}, clientError("decode the state of", userID, err)
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
	return state, nil
}

// Deliver hands a verified event to the user's verification. When it returns nil, Temporal has stored the event.
// ErrNotFound means that no verification of the user is open.
func (c *Client) Deliver(ctx context.Context, userID string, ev DiditEvent) error {
	if err := ValidateUserID(userID); err != nil {
		return err
	}
	if err := c.temporal.SignalWorkflow(ctx, WorkflowID(userID), "", SignalDiditEvent, ev); err != nil {
		return clientError("deliver an event to", userID, err)
	}
	return nil
}

// Ready reports whether Temporal can be reached.
func (c *Client) Ready(ctx context.Context) error {
	if _, err := c.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	return nil
}

func clientError(what, userID string, err error) error {
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		err = ErrNotFound
	}
	return fmt.Errorf("%s the verification of user %s: %w", what, userID, err)
}
