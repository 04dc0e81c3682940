package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// step is one thing that happens in a user's life.
type step struct {
	kind      string
	which, to int
	calm      bool // what came before has been settled
}

func (o step) String() string { return fmt.Sprintf("%s(%d,%d,%t)", o.kind, o.which, o.to, o.calm) }

var happenings = []string{
	"start", "start", "start", "reverify", "other flow", "other flow reverify", "get", "move", "move", "move", "move", "move", "move", "move",
	"lost", "late", "late", "twice", "release", "decide", "decide", "cancel", "terminate", "stop", "reset", "reset", "reset", "delete", "down", "up",
}

func lifeOf(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 2))
	steps := []step{{kind: "start"}}
	for range 3 + r.IntN(14) {
		steps = append(steps, step{happenings[r.IntN(len(happenings))], r.IntN(64), r.IntN(16), r.IntN(2) == 0})
	}
	return steps
}

func (p *resident) starts(in kyc.Input) error {
	in.UserID = p.user
	ctx, stop := context.WithTimeout(p.t.Context(), lifeTimeout)
	defer stop()
	started, err := p.Start(ctx, in)
	for busy(err) && ctx.Err() == nil {
		started, err = p.Start(ctx, in)
	}
	var cancelled *kyc.SessionError
	if errors.As(err, &cancelled) && cancelled.Type == kyc.ErrorTypeCancelled { // it met a cancel on its way
		started, err = p.Start(ctx, in)
	}
	var other *kyc.FlowError
	switch {
	case errors.As(err, &other) && in.WorkflowID != "":
		return nil
	case err == nil && in.WorkflowID != "" && started.State.WorkflowID != in.WorkflowID:
		return fmt.Errorf("START asked for flow %s and got a session of %q", in.WorkflowID, started.State.WorkflowID)
	}
	return err
}

// busy reports whether Temporal, or a worker, did not answer in time: a caller sends the same request again.
func busy(err error) bool {
	var deadline *serviceerror.DeadlineExceeded
	var unavailable *serviceerror.Unavailable
	var exhausted *serviceerror.ResourceExhausted
	var update *client.WorkflowUpdateServiceTimeoutOrCanceledError
	var task *serviceerror.WorkflowNotReady // a workflow task took too long
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &deadline) || errors.As(err, &unavailable) ||
		errors.As(err, &exhausted) || errors.As(err, &task) || errors.As(err, &update)
}

func (p *resident) happens(o step) error {
	p.mu.Lock()
	p.happened[o.kind]++
	p.mu.Unlock()
	ctx, stop := context.WithTimeout(p.t.Context(), lifeTimeout)
	defer stop()
	id := kyc.WorkflowID(p.user)
	switch o.kind {
	case "start", "reverify":
		return p.starts(kyc.Input{Reverify: o.kind == "reverify"})
	case "other flow", "other flow reverify":
		return p.starts(kyc.Input{WorkflowID: []string{flow2, flow}[o.to%2], Reverify: o.kind != "other flow"})
	case "get":
		_, err := p.Find(ctx, p.user)
		return harmless(err)
	case "release":
		for _, x := range p.sim.SessionsOf(p.user) {
			p.sim.Release(x.ID)
		}
	case "decide":
		_, err := p.Operate(ctx, kyc.Operation{UserID: p.user, Verb: []kyc.Verb{kyc.VerbApprove, kyc.VerbDecline, kyc.VerbResubmit}[o.to%3], Operator: jo})
		return harmless(err)
	case "cancel":
		_, err := p.Cancel(ctx, p.user, ops.Request{Operator: jo})
		return harmless(err)
	case "terminate":
		return harmless(p.terminate(ctx, id, ""))
	case "stop":
		return harmless(p.Temporal().CancelWorkflow(ctx, id, ""))
	case "reset":
		return harmless(p.resets(ctx, o.which))
	case "delete":
		return harmless(p.deletesRun(ctx))
	case "down", "up":
		p.inbox.close(p.user, o.kind == "down")
	default:
		p.moves(ctx, o)
	}
	return nil
}

// harmless is nil for the errors of a verb that has nothing to act on.
func harmless(err error) error {
	var none *serviceerror.NotFound
	var invalid *serviceerror.InvalidArgument
	var order *ops.OperationError
	var run *kyc.RunError
	if errors.Is(err, kyc.ErrNotFound) || errors.As(err, &none) || errors.As(err, &invalid) || errors.As(err, &order) || errors.As(err, &run) {
		return nil
	}
	if busy(err) { // the step may have been taken or not: both are lives
		return nil
	}
	return err
}

// resets resets the newest run to one of its tasks.
func (p *resident) resets(ctx context.Context, which int) error {
	var tasks []int64
	it := p.Temporal().GetWorkflowHistory(ctx, kyc.WorkflowID(p.user), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		ev, err := it.Next()
		if err != nil {
			return err
		}
		if ev.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			tasks = append(tasks, ev.GetEventId())
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	p.forgets++
	_, err := p.Temporal().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: p.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(p.user)}, Reason: "a test",
		WorkflowTaskFinishEventId: tasks[which%len(tasks)], RequestId: uuid.NewString(),
	})
	return err
}

// deletesRun deletes the newest run, and waits until it is gone.
func (p *resident) deletesRun(ctx context.Context) error {
	desc, err := p.Temporal().DescribeWorkflow(ctx, kyc.WorkflowID(p.user), "")
	if err != nil {
		return err
	}
	p.forgets++
	x := desc.RawResponse.GetWorkflowExecutionInfo().GetExecution()
	_, err = p.Temporal().WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{Namespace: p.Namespace(), WorkflowExecution: x})
	if err != nil {
		return err
	}
	if left := within(ctx, lifeTimeout, func(ctx context.Context) string {
		if _, err := p.Temporal().DescribeWorkflow(ctx, x.GetWorkflowId(), x.GetRunId()); err == nil {
			return "the run is still there"
		}
		return ""
	}); left != "" {
		return errors.New(left)
	}
	return nil
}

var statuses = []didit.Status{
	didit.StatusInProgress, didit.StatusApproved, didit.StatusInReview, didit.StatusAbandoned, didit.StatusDeclined, didit.StatusExpired,
	didit.StatusResubmitted, didit.StatusAwaitingUser, didit.StatusKycExpired,
}

// moves changes the status of one of the user's sessions, mostly the newest, in a way that Didit has.
func (p *resident) moves(ctx context.Context, o step) {
	all := p.sim.SessionsOf(p.user)
	if len(all) == 0 {
		return
	}
	s := all[max(0, len(all)-1-o.which%4/2)]
	plan := map[string][]diditsim.Send{"late": {{Hold: true}}, "twice": {{}, {}}}[o.kind]
	if o.kind == "lost" { // what no run polls would be lost for good
		found, err := p.Find(ctx, p.user)
		if err == nil && found.State.SessionID == s.ID && found.State.Status == s.Status && found.State.Outcome == "" {
			plan = []diditsim.Send{}
		}
	}
	if plan != nil {
		p.setFate(plan)
		defer p.setFate(nil)
	}
	for i := range statuses {
		if p.sim.SetStatus(s.ID, statuses[(o.to+i)%len(statuses)]) == nil {
			return
		}
	}
}

func (p *resident) setFate(plan []diditsim.Send) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if plan == nil {
		delete(p.fate, p.user)
		return
	}
	p.fate[p.user] = plan
}
