package kyc

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
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
		Query: fmt.Sprintf("WorkflowType = '%s' AND %s = '%s' AND ExecutionStatus IN ('Completed', 'Running')",
			WorkflowDecisionChange, AttributeSessionID, state.SessionID),
	})
	if err != nil {
		return State{}, clientError("look for changes of", state.UserID, err)
	}
	for _, x := range changes.GetExecutions() {
		change, err := c.change(ctx, x)
		if err != nil {
			return State{}, clientError("read a change of", state.UserID, err)
		}
		if change.State.UserID == state.UserID && change.State.UpdatedAt.After(state.UpdatedAt) {
			state = change.State
		}
	}
	return state, nil
}

// change is what a DecisionChange found. One that is open may only be telling the receiver of results.
func (c *Client) change(ctx context.Context, x *workflowpb.WorkflowExecutionInfo) (change ChangeResult, err error) {
	id := x.GetExecution()
	if x.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		err = c.temporal.GetWorkflow(ctx, id.GetWorkflowId(), id.GetRunId()).Get(ctx, &change)
		return change, err
	}
	answer, err := c.temporal.QueryWorkflow(ctx, id.GetWorkflowId(), id.GetRunId(), QueryState)
	if err != nil {
		return change, err
	}
	err = answer.Get(&change)
	return change, err
}

// Wait returns the result of the user's newest verification once it has ended, or ErrNotFound. It does not wait until the
// receiver of results has taken the result. A verification that was cancelled or terminated in Temporal is an error.
func (c *Client) Wait(ctx context.Context, userID string) (State, error) {
	if err := ValidateUserID(userID); err != nil {
		return State{}, err
	}
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), "")
	if err != nil {
		return State{}, clientError("wait for", userID, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	runID := desc.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	var state State
	closed := make(chan error, 1)
	go func() { closed <- c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, &state) }()
	if decided, ok := c.untilDecided(ctx, userID, runID, closed); ok {
		return decided, nil
	}
	if err := <-closed; err != nil {
		return State{}, clientError("wait for", userID, err)
	}
	return c.withChanges(ctx, state)
}

// A waiter asks a run for its outcome after one second, then at growing intervals up to longestAsk: a run that has ended
// may stay open for days while it tells the receiver of results.
const longestAsk = 5 * time.Second

// untilDecided asks a run how it stands until it has an outcome, or until it is closed: then its result says more, and
// closed still holds it.
func (c *Client) untilDecided(ctx context.Context, userID, runID string, closed chan error) (State, bool) {
	for pause := time.Second; ; pause = min(2*pause, longestAsk) {
		select {
		case err := <-closed:
			closed <- err
			return State{}, false
		case <-time.After(pause):
		}
		asking, stop := context.WithTimeout(ctx, longestAsk)
		state, err := c.decided(asking, userID, runID)
		stop()
		if err == nil && state.Outcome != "" { // without a worker nobody answers; the result may come all the same
			return state, true
		}
	}
}

// decided asks an open run how it stands once its search attributes tell an outcome: thousands may wait for weeks, and
// every query is work for a worker, where the attributes are not.
func (c *Client) decided(ctx context.Context, userID, runID string) (State, error) {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID)
	if err != nil || attributeIn(desc.GetWorkflowExecutionInfo().GetSearchAttributes(), AttributeOutcome) == "" {
		return State{}, err
	}
	return c.query(ctx, userID, runID)
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
