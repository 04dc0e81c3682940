package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

var (
	randomLives = flag.Uint64("lives", 30, "how many random lives users live on the real server (make chaos: 1000)")
	oneLife     = flag.Uint64("life", 0, "the seed of the one random life to live")
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

// crowd is a system in which many people live at once.
type crowd struct {
	*system
	inbox    *inbox
	mu       sync.Mutex
	events   map[string][]diditsim.Event // by user, in the order in which they happened
	fate     map[string][]diditsim.Send  // of a user's next webhooks, if it is not the usual one
	reissued map[string]bool             // Didit handed out an unfinished session again, with other metadata
	happened map[string]int
}

func newCrowd(t *testing.T) *crowd {
	b := newInbox(t)
	c := &crowd{inbox: b, events: map[string][]diditsim.Event{}, fate: map[string][]diditsim.Send{}, reissued: map[string]bool{}, happened: map[string]int{}}
	c.system = start(t, options{reconcileAfter: time.Second, resultURL: b.URL, sessionCap: 100, webhookRetries: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}})
	c.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events[e.VendorData] = append(c.events[e.VendorData], e)
		if plan, ok := c.fate[e.VendorData]; ok {
			return plan
		}
		return []diditsim.Send{{}}
	})
	c.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Times: 1 << 30, Match: func(r *http.Request) bool { c.watch(r); return false }})
	return c
}

// watch notes a create that Didit answers with a session that it has.
func (c *crowd) watch(r *http.Request) {
	var b struct {
		Vendor string `json:"vendor_data"`
		Flow   string `json:"workflow_id"`
	}
	if r.URL.Path != "/v3/session/" || json.NewDecoder(r.Body).Decode(&b) != nil {
		return
	}
	for _, x := range c.sim.SessionsOf(b.Vendor) {
		if x.WorkflowID == b.Flow && unfinished(x.Status) {
			c.mu.Lock()
			c.reissued[b.Vendor] = true
			c.mu.Unlock()
		}
	}
}

func unfinished(s didit.Status) bool {
	return slices.Contains([]didit.Status{didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser}, s)
}

func settled(s didit.Status) bool {
	return slices.Contains([]didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview}, s)
}

// resident is one user of a crowd.
type resident struct {
	*crowd
	user    string
	known   map[string]diditsim.Session // as they were first seen: sessions may be deleted
	deletes int
}

// live lives a life and returns what was wrong; empty if nothing was. Rest is how long things may take to settle.
func (c *crowd) live(user string, steps []step, rest time.Duration) (*resident, string) {
	p := &resident{crowd: c, user: user, known: map[string]diditsim.Session{}}
	for _, o := range steps {
		if o.calm {
			within(c.t.Context(), 5*time.Second, p.shown)
		}
		if err := p.happens(o); err != nil {
			return p, fmt.Sprintf("%s: %v", o, err)
		}
		p.look()
	}
	p.inbox.close(user, false)
	for _, x := range c.sim.SessionsOf(user) {
		c.sim.Release(x.ID)
	}
	if err := p.starts(kyc.Input{}); err != nil {
		return p, fmt.Sprintf("the last START: %v", err)
	}
	return p, within(c.t.Context(), rest, p.judge)
}

// within asks until there is nothing wrong, and returns what is wrong at the end.
func within(ctx context.Context, d time.Duration, wrong func(context.Context) string) (last string) {
	ctx, stop := context.WithTimeout(ctx, d)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for last = "never asked"; ; {
		if now := wrong(ctx); ctx.Err() == nil {
			last = now
		}
		if last == "" {
			return ""
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

func (p *resident) look() {
	for _, x := range p.sim.SessionsOf(p.user) {
		if _, ok := p.known[x.ID]; !ok {
			p.known[x.ID] = x
		}
	}
}

func (p *resident) starts(in kyc.Input) error {
	in.UserID = p.user
	ctx, stop := context.WithTimeout(p.t.Context(), patience)
	defer stop()
	_, err := p.Start(ctx, in)
	var other *kyc.FlowError
	if errors.As(err, &other) && in.WorkflowID != "" {
		return nil
	}
	return err
}

func (p *resident) happens(o step) error {
	p.mu.Lock()
	p.happened[o.kind]++
	p.mu.Unlock()
	ctx, stop := context.WithTimeout(p.t.Context(), patience)
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
		_, err := p.Cancel(ctx, p.user, kyc.Request{Operator: jo})
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
	var order *kyc.OperationError
	var run *kyc.RunError
	if errors.Is(err, kyc.ErrNotFound) || errors.As(err, &none) || errors.As(err, &invalid) || errors.As(err, &order) || errors.As(err, &run) {
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
	_, err := p.Temporal().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: p.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(p.user)}, Reason: "a test",
		WorkflowTaskFinishEventId: tasks[which%len(tasks)], RequestId: uuid.NewString(),
	})
	return err
}

// deletesRun deletes the newest run, and waits until it is gone.
func (p *resident) deletesRun(ctx context.Context) error {
	desc, err := p.Temporal().DescribeWorkflowExecution(ctx, kyc.WorkflowID(p.user), "")
	if err != nil {
		return err
	}
	p.deletes++
	x := desc.GetWorkflowExecutionInfo().GetExecution()
	_, err = p.Temporal().WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{Namespace: p.Namespace(), WorkflowExecution: x})
	if err != nil {
		return err
	}
	if left := within(ctx, patience, func(ctx context.Context) string {
		if _, err := p.Temporal().DescribeWorkflowExecution(ctx, x.GetWorkflowId(), x.GetRunId()); err == nil {
			return "the run is still there"
		}
		return ""
	}); left != "" {
		return errors.New(left)
	}
	return nil
}
