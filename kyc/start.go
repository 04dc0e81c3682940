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

// Started is the answer to Start.
type Started struct {
	State State
	// Session holds the URL that the person must open; zero for a user who was decided before.
	Session Session
	RunID   string
	// New reports whether this call began the verification.
	New bool
}

// Start verifies a user and returns once there is a URL to open. It may be called again, by many callers at once:
//   - a verification that is open is joined: every caller gets the same session and URL;
//   - a user who was approved or declined before gets that verdict, without a URL, unless in.Reverify is set;
//   - one whose verification ended without a verdict is started afresh.
//
// A verification has ended when its state has an outcome, even while its result is still being delivered to the receiver
// of results: starting the user afresh then leaves the delivery to a workflow of its own.
//
// A verification that gets no session is a *SessionError. When ctx ends first the verification goes on: call again.
func (c *Client) Start(ctx context.Context, in Input) (Started, error) {
	if err := in.Validate(); err != nil {
		return Started{}, err
	}
	updateID, reuse := UpdateSession, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	for reverify := in.Reverify; ; reverify = false {
		a, err := c.attach(ctx, in, updateID, reuse)
		if err != nil {
			return Started{}, err
		}
		if a.started {
			return c.answer(ctx, in.UserID, a)
		}
		// The server answers from the user's last run, even a closed one. It decides what happens next.
		state, err := c.standing(ctx, in.UserID, a)
		if err != nil {
			return Started{}, err
		}
		if !a.closed && state.Outcome == "" {
			return c.answer(ctx, in.UserID, a)
		}
		if state.Outcome.Decided() && !reverify {
			return Started{State: state, RunID: a.runID}, nil
		}
		if err := c.handOver(ctx, in.UserID, a); err != nil {
			return Started{}, err
		}
		// Everyone who saw this run end asks with the same id, so that they share one new run.
		updateID, reuse = UpdateSession+":"+a.runID, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
		in.AfterRun = a.runID
	}
}

// standing is how a run that others started stands: it may be over, or over but for telling the receiver of results.
func (c *Client) standing(ctx context.Context, userID string, a attachment) (State, error) {
	if a.closed {
		return c.verdict(ctx, userID, a.runID)
	}
	return c.query(ctx, userID, a.runID)
}

// handOver makes a run that only delivers its result leave that to another workflow, so that the user can be started
// again, and waits until it is closed, or open again because Didit has taken its verdict back.
func (c *Client) handOver(ctx context.Context, userID string, a attachment) error {
	if a.closed {
		return nil
	}
	err := c.temporal.SignalWorkflow(ctx, WorkflowID(userID), a.runID, SignalHandOver, nil)
	if err == nil {
		err = c.untilGone(ctx, userID, a.runID)
	}
	var ended *temporal.WorkflowExecutionError
	if err == nil || isNotFound(err) || errors.As(err, &ended) {
		return nil
	}
	return clientError("make way for", userID, err)
}

// untilGone waits until a run is closed, or has no outcome any more.
func (c *Client) untilGone(ctx context.Context, userID, runID string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	closed := make(chan error, 1)
	go func() { closed <- c.temporal.GetWorkflow(ctx, WorkflowID(userID), runID).Get(ctx, nil) }()
	for {
		select {
		case err := <-closed:
			return err
		case <-time.After(longestAsk):
		}
		asking, stop := context.WithTimeout(ctx, longestAsk)
		state, err := c.query(asking, userID, runID)
		stop()
		if err == nil && state.Outcome == "" {
			return nil
		}
	}
}

// attachment is a run of the user's verification and the update "session" on it.
type attachment struct {
	runID   string
	started bool // this call made the run
	closed  bool // the run has ended
	update  client.WorkflowUpdateHandle
}

// answerWithin bounds the request that starts and waits for the session at once. A caller with less time than twice that
// gets half of it for each of the two ways to ask.
const answerWithin = 5 * time.Second

// attach starts the workflow unless it runs and asks it for the session. One request does both where the answer comes soon.
// Where it does not, a second one waits for stage Accepted only: a caller whose time runs out while Didit's limit makes it
// wait has then been told which run it waits for.
func (c *Client) attach(ctx context.Context, in Input, updateID string, reuse enumspb.WorkflowIdReusePolicy) (attachment, error) {
	o := startOptions(in, reuse)
	noted, note := withStartNote(ctx)
	soon, stop := context.WithTimeout(noted, patienceForAnswer(ctx))
	a, err := c.ask(soon, note, o, in, updateID, client.WorkflowUpdateStageCompleted)
	late := err != nil && ctx.Err() == nil && (soon.Err() != nil || timedOut(err))
	stop()
	if late {
		if a, err = c.ask(noted, note, o, in, updateID, client.WorkflowUpdateStageAccepted); err == nil && !a.started && !a.closed {
			a.started = c.madeBy(ctx, in.UserID, a.runID, note.requestID)
		}
	}
	if err != nil {
		return attachment{}, fmt.Errorf("start the verification of user %s: %w", in.UserID, err)
	}
	return a, nil
}

func patienceForAnswer(ctx context.Context) time.Duration {
	end, ends := ctx.Deadline()
	if !ends {
		return answerWithin
	}
	return min(answerWithin, time.Until(end)/2)
}

// timedOut reports whether the server was the first to notice that the time of a request is over.
func timedOut(err error) bool {
	var update *client.WorkflowUpdateServiceTimeoutOrCanceledError
	var deadline *serviceerror.DeadlineExceeded
	var canceled *serviceerror.Canceled
	return errors.As(err, &update) || errors.As(err, &deadline) || errors.As(err, &canceled)
}

// ask is one Update-With-Start, which returns when the update has come to a stage.
func (c *Client) ask(
	ctx context.Context, note *startNote, o client.StartWorkflowOptions, in Input, updateID string, stage client.WorkflowUpdateStage,
) (attachment, error) {
	update, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.temporal.NewWithStartWorkflowOperation(o, WorkflowVerification, in),
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateID: updateID, UpdateName: UpdateSession, WaitForStage: stage},
	})
	var ended *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &ended):
		return attachment{runID: ended.RunId, closed: true}, nil
	case err != nil:
		return attachment{}, err
	}
	return attachment{runID: update.RunID(), started: note.started.Load(), closed: note.closed.Load(), update: update}, nil
}

// madeBy reports whether the start with that request id made the run, of which the caller was not told in time. Where
// nobody can say, another caller made it.
func (c *Client) madeBy(ctx context.Context, userID, runID, requestID string) bool {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID)
	info := desc.GetWorkflowExtendedInfo().GetRequestIdInfos()[requestID]
	return err == nil && info.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
}

// staticDetails is what an operator reads on every verification's page; the workflow keeps the current details beside it.
const staticDetails = "Makes a session at Didit, waits for the person, and ends with Didit's decision. " +
	"The query `state` tells how it stands; the result names the `outcome`. " +
	"Names and documents are not here: read them at Didit, by `session_id`."

func startOptions(in Input, reuse enumspb.WorkflowIdReusePolicy) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       WorkflowID(in.UserID),
		TaskQueue:                TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    reuse,
		StaticSummary:            "Verify user " + in.UserID + " at Didit",
		StaticDetails:            staticDetails,
		// What the workflow would say first: said here it costs no event, and no second write to the list. Upgrade workers
		// before starters: one of older code says it again, and what it began then can be replayed by no newer one.
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(AttributeWaitingFor).ValueSet(string(WaitingForLimit))),
	}
}

// answer waits for the session. The update's answer is frozen, so an older run is asked how it stands now.
func (c *Client) answer(ctx context.Context, userID string, a attachment) (Started, error) {
	s := Started{RunID: a.runID, New: a.started}
	if err := a.update.Get(ctx, &s.Session); err != nil {
		return s, c.sessionError(ctx, userID, a.runID, err)
	}
	if a.started {
		s.State = State{UserID: userID, SessionID: s.Session.SessionID, Status: s.Session.Status, Attempt: 1}
		return s, nil
	}
	state, err := c.query(ctx, userID, a.runID)
	if err != nil {
		return s, err
	}
	s.State, s.Session.Status = state, state.Status
	return s, nil
}

// sessionError finds out whether the verification ended without a session, and why.
func (c *Client) sessionError(ctx context.Context, userID, runID string, cause error) error {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(userID), runID)
	var app *temporal.ApplicationError
	if err != nil || (!errors.As(cause, &app) && desc.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING) {
		return fmt.Errorf("wait for the session of user %s: %w", userID, cause)
	}
	e := &SessionError{UserID: userID, RunID: runID}
	if app != nil {
		e.Type = app.Type()
	}
	return e
}
