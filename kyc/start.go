package kyc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Started is the answer to Start.
type Started struct {
	State State
	// Session holds the URL that the person must open; zero unless the next step is the person's.
	Session Session
	RunID   string
	// New reports whether this call began the run.
	New bool
}

// Start verifies a user and returns once there is a URL to open, or a verdict. Call it again as often as you like, from
// many callers at once:
//   - a verification that is open is joined: every caller gets the same session and URL;
//   - a user with a verdict gets that verdict, without a URL, unless in.Reverify is set;
//   - a user whose session ended without a verdict gets a new one.
//
// A verdict or an open session of another flow than in.WorkflowID is a *FlowError, unless in.Reverify is set. A user who
// gets no session is a *SessionError, a run that cannot answer a *RunError. When ctx ends first the verification goes on:
// call again.
func (c *Client) Start(ctx context.Context, in Input) (Started, error) {
	in.Resume = false
	if err := in.Validate(); err != nil {
		return Started{}, err
	}
	r := startRequest{in: in, began: time.Now(), updateID: UpdateSession, reuse: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE}
	for {
		a, err := c.attach(ctx, r)
		if err != nil {
			return Started{}, c.explain(ctx, in.UserID, err)
		}
		s, err := c.answer(ctx, r, a)
		if runStopped(err) {
			if err = c.successor(ctx, in.UserID, a.runID, err); err != nil {
				return s, err
			}
			r.updateID, r.reuse, r.runID = UpdateSession, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, ""
			continue
		}
		if err != nil || a.started {
			return s, err
		}
		next, more := r.next(s, a.closed)
		if !more {
			return s, flowError(in, s.State)
		}
		r = next
	}
}

// startRequest is one request for the session.
type startRequest struct {
	in       Input
	began    time.Time // when the caller called
	updateID string
	reuse    enumspb.WorkflowIdReusePolicy
	runID    string // send it to this open run, and begin none
	another  bool   // the state is known, and another session is requested
	checked  bool   // requests a read of Didit's decision, whether the link still works
}

// answer waits for the answer of a run and then reads its state, since the answer of an update never changes.
func (c *Client) answer(ctx context.Context, r startRequest, a attachment) (Started, error) {
	s := Started{RunID: a.runID, New: a.started}
	if a.closed {
		state, err := c.verdict(ctx, r.in.UserID, a.runID)
		s.State = state
		return s, err
	}
	updateErr := r.get(ctx, a.update, &s.Session)
	if a.started && updateErr == nil && s.Session.URL != "" {
		s.State = State{UserID: r.in.UserID, SessionID: s.Session.SessionID, WorkflowID: s.Session.WorkflowID, Status: s.Session.Status, Attempt: 1}
		return s, nil
	}
	var app *temporal.ApplicationError
	if updateErr != nil && (!errors.As(updateErr, &app) || runStopped(updateErr)) {
		return s, updateErr
	}
	known, err := c.query(ctx, r.in.UserID, a.runID)
	if isNotFound(err) { // it was just reset or deleted
		return s, errStopped
	}
	s.State, s.Session = known.State, known.Session
	if app != nil && err == nil && (a.started || r.another || s.State.UpdatedAt.After(r.began)) {
		err = &SessionError{UserID: r.in.UserID, RunID: a.runID, Type: app.Type()}
	}
	return s, err
}

// checkTimeout bounds how long a caller waits for Didit before Start returns an old link.
const checkTimeout = 3 * time.Second

func (r startRequest) get(ctx context.Context, update client.WorkflowUpdateHandle, v *Session) error {
	switch {
	case update == nil:
		return nil
	case !r.checked:
		return update.Get(ctx, v)
	}
	soon, stop := context.WithTimeout(ctx, checkTimeout)
	defer stop()
	if err := update.Get(soon, v); soon.Err() == nil {
		return err
	}
	return ctx.Err()
}

// errStopped means that the run was stopped during the request.
var errStopped = temporal.NewApplicationError("the run was stopped", typeStoppedRun)

// typeStoppedRun is the server's type for a caller whose run was terminated or reset while the update waited.
const typeStoppedRun = "AcceptedUpdateCompletedWorkflow"

// runStopped reports whether an update ended because its run did.
func runStopped(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == typeStoppedRun || errors.As(err, new(*temporal.WorkflowExecutionError)) || isNotFound(err)
}

// successor returns nil if another run follows the one that was stopped during the request, or why there is none.
func (c *Client) successor(ctx context.Context, userID, runID string, cause error) error {
	desc, err := c.Describe(ctx, userID, "")
	if isNotFound(err) {
		return nil
	}
	if err == nil {
		err = runError(userID, desc)
	}
	if err == nil && desc.GetWorkflowExecutionInfo().GetExecution().GetRunId() == runID &&
		desc.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		err = cause
	}
	if err != nil {
		return c.explain(ctx, userID, err)
	}
	return nil
}

// LinkFreshFor is how long after a read of Didit's decision a link is returned again without another read: it may have expired,
// and that webhook be lost.
const LinkFreshFor = time.Minute

// next is the next request, if the state is not the answer; false if it is.
func (r startRequest) next(s Started, closed bool) (startRequest, bool) {
	another := r.in.WantsAnother(s.State)
	switch {
	case r.another && !closed: // one that closed before it was asked had no part in this
		return r, false
	case closed && (another || s.State.UserID == ""):
		// All callers that found this run closed send the same id, so that they share one new run.
		r.updateID, r.reuse, r.runID = UpdateSession+":"+s.RunID, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, ""
	case !closed && another:
		r.updateID, r.runID, r.another = r.sharedID(s.State), s.RunID, true
	case !closed && !r.checked && s.State.PersonMustAct() && time.Since(s.State.CheckedAt) > LinkFreshFor && flowError(r.in, s.State) == nil:
		r.updateID, r.runID, r.checked = r.sharedID(s.State), s.RunID, true
	default:
		return r, false
	}
	return r, true
}

// sharedID is the id of an update that all callers with this state share, so that a thousand of them are one update.
func (r startRequest) sharedID(s State) string {
	at := s.UpdatedAt
	if s.CheckedAt.After(at) {
		at = s.CheckedAt
	}
	id := fmt.Sprintf("%s:%s:%d", UpdateSession, s.SessionID, at.UnixMilli())
	if r.in.Reverify {
		id += ":reverify"
	}
	return id
}

// WantsAnother reports whether an input requests another session than the one with state s: after one that ended without a
// verdict, and, with Reverify, beside a verdict or for another flow.
func (in Input) WantsAnother(s State) bool {
	switch {
	case s.Outcome.Decided():
		return in.Reverify
	case s.Outcome != "":
		return true
	}
	return in.Reverify && in.otherFlow(s)
}

func (in Input) otherFlow(s State) bool {
	return in.WorkflowID != "" && s.WorkflowID != "" && !strings.EqualFold(in.WorkflowID, s.WorkflowID)
}

// flowError refuses a state that is of another flow than the caller named.
func flowError(in Input, s State) error {
	if !in.otherFlow(s) || in.WantsAnother(s) {
		return nil
	}
	return &FlowError{UserID: in.UserID, Have: s.WorkflowID, Want: in.WorkflowID}
}
