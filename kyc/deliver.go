package kyc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/didit"
)

// DeliverResult is what Deliver did with an event.
type DeliverResult string

// The results of Deliver.
const (
	DeliveredSignal   DeliverResult = "signal"  // the user's open run has it, or had it before
	DeliveredResume   DeliverResult = "resume"  // no run was open: the event began one
	DeliveredNoChange DeliverResult = "no_news" // its status changes nothing
	DeliveredForeign  DeliverResult = "nobody"  // the session is not ours
)

// Origin is where the session of an event comes from.
type Origin struct {
	// Ours says that the session's metadata names this deployment.
	Ours bool
	// RunID is the run that created the session; empty where that is unknown.
	RunID string
}

// Deliver sends a verified event to the user's verification. Of a session that is not ours by its origin, Deliver takes only
// events that the user's newest run waits for. When it returns nil, Temporal has stored the event, or the event changes
// nothing. Repeats of an event change nothing, however late they come.
func (c *Client) Deliver(ctx context.Context, userID string, ev DiditEvent, from Origin) (DeliverResult, error) {
	if err := ValidateUserID(userID); err != nil {
		return "", err
	}
	if !from.Ours {
		known, err := c.hasSession(ctx, userID, ev.SessionID)
		if err != nil {
			return "", err
		}
		if !known {
			return DeliveredForeign, nil
		}
	}
	if ev.Status == didit.StatusNotStarted { // a session never returns to it
		return DeliveredNoChange, nil
	}
	ctx = withRequestID(ctx, ev.EventID)
	// Not SignalWithStart at first: a repeat of an event of a closed run would begin another run.
	err := c.signal(ctx, userID, from.RunID, ev)
	switch {
	case err == nil:
		return DeliveredSignal, nil
	case tooManySignals(err):
		return DeliveredSignal, c.refreshInstead(ctx, userID)
	case !isNotFound(err):
		return "", clientError("deliver an event to", userID, err)
	}
	return DeliveredResume, c.resume(ctx, userID, ev, from.Ours)
}

// signal sends an event to the user's open run. For a signal without a run id Temporal reads from its database which run is
// open. Most events come while the run that created their session is still open, so that run is tried first.
func (c *Client) signal(ctx context.Context, userID, runID string, ev DiditEvent) error {
	err := c.temporal.SignalWorkflow(ctx, WorkflowID(userID), runID, SignalDiditEvent, ev)
	if runID == "" || !isNotFound(err) {
		return err
	}
	return c.temporal.SignalWorkflow(ctx, WorkflowID(userID), "", SignalDiditEvent, ev)
}

// hasSession reports whether the user's newest run follows the session, by a search attribute, which needs no payload key.
func (c *Client) hasSession(ctx context.Context, userID, sessionID string) (bool, error) {
	desc, err := c.Describe(ctx, userID, "")
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, clientError("deliver an event to", userID, err)
	}
	return attributeIn(desc.GetWorkflowExecutionInfo().GetSearchAttributes(), AttributeSessionID) == sessionID, nil
}

// resume begins a run of the user's verification with an event. Concurrent calls begin one run. Where only the newest run
// knows that the session is ours, the run that follows it says so from its first moment, or the next event would be foreign.
func (c *Client) resume(ctx context.Context, userID string, ev DiditEvent, ours bool) error {
	var attributes []temporal.SearchAttributeUpdate
	if !ours {
		attributes = append(attributes, temporal.NewSearchAttributeKeyKeyword(AttributeSessionID).ValueSet(ev.SessionID))
	}
	options := startOptions(userID, fmt.Sprintf("Late update of user %s: %s", userID, known(ev)),
		enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, WaitingForDidit, attributes...)
	_, err := c.temporal.SignalWithStartWorkflow(ctx, options.ID, SignalDiditEvent, ev, options, WorkflowVerification, Input{UserID: userID, Resume: true})
	if err != nil {
		return clientError("deliver a late event to", userID, err)
	}
	return nil
}

// tooManySignals reports whether a run has taken as many signals as Temporal allows (10,000 by default).
func tooManySignals(err error) bool {
	refused, ok := errors.AsType[*serviceerror.InvalidArgument](err)
	return ok && strings.Contains(refused.Message, "limit for signal events")
}

// refreshInstead makes a run that takes no more signals read Didit's decision. Events of one minute share one update.
// If the run takes no more updates either, its polls find the change.
func (c *Client) refreshInstead(ctx context.Context, userID string) error {
	_, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: WorkflowID(userID), UpdateName: UpdateRefresh,
		UpdateID:     fmt.Sprintf("%s:events-%d", UpdateRefresh, time.Now().Unix()/60),
		WaitForStage: client.WorkflowUpdateStageAccepted, Args: []any{Operator{Actor: "webhook", Reason: "too-many-signals"}},
	})
	if err == nil || errors.As(err, new(*serviceerror.InvalidArgument)) || errors.As(err, new(*serviceerror.ResourceExhausted)) {
		return nil
	}
	return clientError("deliver an event to", userID, err)
}

// known keeps an unknown status, which may be any text, out of the summary.
func known(ev DiditEvent) string {
	if ev.Status.Known() {
		return string(ev.Status)
	}
	return "unknown status"
}
