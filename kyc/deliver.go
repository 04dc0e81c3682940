package kyc

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// Delivery says what became of an event.
type Delivery string

// What can become of an event that Deliver took.
const (
	DeliveredSignal Delivery = "signal" // the verification has it, or had it before
	DeliveredChange Delivery = "change" // the verification is over: a DecisionChange has it, or had it before
	DeliveredNobody Delivery = "nobody" // the session is not ours
)

// Deliver hands a verified event to the verification that made its session, which the session's metadata names. When
// it returns nil, Temporal has stored the event, or it concerns nobody here. Repeats of an event change nothing, however
// late they come: the server knows its id.
func (c *Client) Deliver(ctx context.Context, userID string, ev DiditEvent, session SessionMetadata) (Delivery, error) {
	if err := ValidateUserID(userID); err != nil {
		return "", err
	}
	ctx = withAllItsTime(ctx)
	// The run that made the session, not the newest: a user who was started again has another session now.
	err := c.temporal.SignalWorkflow(withRequestID(ctx, ev.EventID), WorkflowID(userID), session.RunID, SignalDiditEvent, ev)
	switch {
	case err == nil:
		return DeliveredSignal, nil
	case !isNotFound(err):
		return "", clientError("deliver an event to", userID, err)
	case session.RunID == "":
		return DeliveredNobody, nil
	}
	return DeliveredChange, c.startChange(ctx, userID, ev, 0)
}

// startChange starts the DecisionChange of an event, once, after a delay.
func (c *Client) startChange(ctx context.Context, userID string, ev DiditEvent, delay time.Duration) error {
	summary := fmt.Sprintf("News about user %s after the end: %s", userID, known(ev))
	if delay > 0 {
		summary = fmt.Sprintf("Has everybody heard that user %s is %s?", userID, known(ev))
	}
	_, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       ChangeID(userID, ev.EventID),
		TaskQueue:                TaskQueue,
		StartDelay:               delay,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		StaticSummary:            summary,
	}, WorkflowDecisionChange, Change{UserID: userID, Event: ev})
	var before *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &before) {
		return clientError("start the change of", userID, err)
	}
	return nil
}

// known keeps an unknown status, which may be any text, out of the summary.
func known(ev DiditEvent) string {
	if ev.Status.Known() {
		return string(ev.Status)
	}
	return "unknown status"
}
