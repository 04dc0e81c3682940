package kyc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Client calls verifications through Temporal; Dial makes one. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	namespace string
	payloads  converter.DataConverter
}

// Temporal returns the connection, for workers and for calls that this package does not wrap.
func (c *Client) Temporal() client.Client { return c.temporal }

// Namespace returns the Temporal namespace of the connection.
func (c *Client) Namespace() string { return c.namespace }

// DataConverter returns the converter of the connection's payloads, for programs that read histories.
func (c *Client) DataConverter() converter.DataConverter { return c.payloads }

// Close ends the connection.
func (c *Client) Close() { c.temporal.Close() }

// State returns the state of the user's verification, or ErrNotFound. For an open run a worker must be running. A run that
// was stopped in Temporal, or that failed, is a *RunError.
func (c *Client) State(ctx context.Context, userID string) (State, error) {
	found, err := c.Find(ctx, userID)
	return found.State, err
}

// query reads the snapshot of a run.
func (c *Client) query(ctx context.Context, userID, runID string) (s Snapshot, err error) {
	answer, err := c.temporal.QueryWorkflow(ctx, WorkflowID(userID), runID, QueryVerification)
	if err != nil {
		return Snapshot{}, clientError("read the state of", userID, err)
	}
	if err := answer.Get(&s); err != nil {
		return Snapshot{}, clientError("decode the state of", userID, err)
	}
	return s, nil
}

// verdict reads the result of a closed run; the zero State if it has none. It needs no worker.
func (c *Client) verdict(ctx context.Context, userID, runID string) (State, error) {
	var state State
	err := c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, &state)
	if errors.As(err, new(*temporal.WorkflowExecutionError)) {
		return State{}, nil
	}
	if err != nil {
		return State{}, clientError("read the result of", userID, err)
	}
	return state, nil
}

// Wait polls for the outcome after one second, then at growing intervals up to maxPollInterval: a run that has an outcome may
// stay open for days while its callback is delivered.
const maxPollInterval = 5 * time.Second

// Wait returns the user's state once it has an outcome, or ErrNotFound. It follows the user over resets and later runs,
// and does not wait until the callback is delivered.
func (c *Client) Wait(ctx context.Context, userID string) (State, error) {
	for interval := time.Second; ; interval = min(2*interval, maxPollInterval) {
		polling, stop := context.WithTimeout(ctx, 2*maxPollInterval)
		found, err := c.find(polling, userID, true)
		timedOut := polling.Err() != nil && ctx.Err() == nil // no worker answers; one may come back
		stop()
		run, stopped := errors.AsType[*RunError](err)
		switch {
		case stopped && run.Reason == RunPaused, timedOut:
		case err != nil, found.State.Outcome != "":
			return found.State, err
		}
		c.untilClosed(ctx, userID, found.RunID, interval)
		if ctx.Err() != nil {
			return State{}, clientError("wait for", userID, ctx.Err())
		}
	}
}

// untilClosed waits until a run is closed, but not longer than d.
func (c *Client) untilClosed(ctx context.Context, userID, runID string, d time.Duration) {
	ctx, stop := context.WithTimeout(ctx, d)
	defer stop()
	if runID == "" {
		<-ctx.Done()
		return
	}
	if err := c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, nil); err != nil {
		<-ctx.Done() // a run that was stopped: its successor may start soon
	}
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

func isNotFound(err error) bool {
	return errors.As(err, new(*serviceerror.NotFound)) || errors.Is(err, ErrNotFound)
}
