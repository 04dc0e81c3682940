package kyc

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// attachment is a run of the user's verification and the update "session" on it.
type attachment struct {
	runID   string
	started bool // this call made the run
	closed  bool // the run has ended
	update  client.WorkflowUpdateHandle
}

// answerTimeout bounds the request that starts and waits for the session at once. A caller with less than twice that time
// spends half of it on each of the two requests.
const answerTimeout = 5 * time.Second

// attach sends the update to an open run, or starts one. One request does both if the answer comes soon. If not, a second
// request waits for stage Accepted only: then a caller that times out while Didit's limit delays it knows its run.
func (c *Client) attach(ctx context.Context, r startRequest) (attachment, error) {
	if r.runID != "" {
		return c.askOpen(ctx, r)
	}
	noted, note := withStartNote(ctx)
	soon, stop := context.WithTimeout(noted, firstWait(ctx))
	a, err := c.ask(soon, note, r, client.WorkflowUpdateStageCompleted)
	late := err != nil && ctx.Err() == nil && (soon.Err() != nil || timedOut(err))
	stop()
	if late {
		if a, err = c.ask(noted, note, r, client.WorkflowUpdateStageAccepted); err == nil && !a.started && !a.closed {
			a.started = c.madeBy(ctx, r.in.UserID, a.runID, note.requestID)
		}
	}
	return a, err
}

func firstWait(ctx context.Context) time.Duration {
	end, ends := ctx.Deadline()
	if !ends {
		return answerTimeout
	}
	return min(answerTimeout, time.Until(end)/2)
}

// timedOut reports whether the server noticed before the client that the time of a request is over.
func timedOut(err error) bool {
	return errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)) ||
		errors.As(err, new(*serviceerror.DeadlineExceeded)) || errors.As(err, new(*serviceerror.Canceled))
}

// askOpen sends the update to an open run.
func (c *Client) askOpen(ctx context.Context, r startRequest) (attachment, error) {
	update, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: WorkflowID(r.in.UserID), RunID: r.runID, UpdateID: r.updateID, UpdateName: UpdateSession,
		WaitForStage: client.WorkflowUpdateStageAccepted, Args: []any{r.in},
	})
	switch {
	case isNotFound(err):
		return attachment{runID: r.runID, closed: true}, nil
	case errors.As(err, new(*serviceerror.InvalidArgument)) && !r.another: // the run takes no more updates: its state is the answer
		return attachment{runID: r.runID}, nil
	case err != nil:
		return attachment{}, err
	}
	return attachment{runID: r.runID, update: update}, nil
}

// ask is one Update-With-Start, which returns when the update has reached a stage.
func (c *Client) ask(ctx context.Context, note *startNote, r startRequest, stage client.WorkflowUpdateStage) (attachment, error) {
	options := startOptions(r.in.UserID, "Verify user "+r.in.UserID+" at Didit", r.reuse, WaitingForLimit)
	start := c.temporal.NewWithStartWorkflowOperation(options, WorkflowVerification, r.in)
	update, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateID: r.updateID, UpdateName: UpdateSession, WaitForStage: stage, Args: []any{r.in}},
	})
	if ended, ok := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ok {
		return attachment{runID: ended.RunId, closed: true}, nil
	}
	if err != nil {
		return attachment{}, err
	}
	return attachment{runID: update.RunID(), started: note.started.Load(), closed: note.closed.Load(), update: update}, nil
}

// madeBy reports whether the start with that request id made the run, if its answer came too late for the caller. If that is
// unknown, it reports that another caller made it.
func (c *Client) madeBy(ctx context.Context, userID, runID, requestID string) bool {
	desc, err := c.Describe(ctx, userID, runID)
	info := desc.GetWorkflowExtendedInfo().GetRequestIdInfos()[requestID]
	return err == nil && info.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
}

// staticDetails is on every verification's page; the workflow adds the current details.
const staticDetails = "Gets the user a session at Didit, waits for the person, and ends with Didit's decision. " +
	"The query `state` returns the current state; the result has the `outcome`. " +
	"Names and documents are not here: read them at Didit, by `session_id`."

// startOptions are those of a run. waitingFor is the first value that the workflow would set: set here it costs no event, and no
// second write to the visibility store.
func startOptions(userID, summary string, reuse enumspb.WorkflowIdReusePolicy, waitingFor WaitingFor, more ...temporal.SearchAttributeUpdate) client.StartWorkflowOptions {
	attributes := append(more, temporal.NewSearchAttributeKeyKeyword(AttributeWaitingFor).ValueSet(string(waitingFor)))
	return client.StartWorkflowOptions{
		ID:                       WorkflowID(userID),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    reuse,
		StaticSummary:            summary,
		StaticDetails:            staticDetails,
		TypedSearchAttributes:    temporal.NewSearchAttributes(attributes...),
	}
}

// explain replaces an error of a request by its cause, if the user's run has one: another program holds its id, an operator
// has paused or stopped it, or it refused the update.
func (c *Client) explain(ctx context.Context, userID string, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == ErrorTypeInvalidInput {
		return fmt.Errorf("%w: %s", ErrInvalidInput, app.Message())
	}
	if errors.As(err, new(*RunError)) {
		return err
	}
	asking, stop := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer stop()
	desc, describeErr := c.Describe(asking, userID, "")
	occupied := desc.GetWorkflowExecutionInfo().GetType().GetName() != WorkflowVerification
	if cause := runError(userID, desc); describeErr == nil && cause != nil && (ctx.Err() == nil || occupied) {
		return cause
	}
	return fmt.Errorf("start the verification of user %s: %w", userID, err)
}
