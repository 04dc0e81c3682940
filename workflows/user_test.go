package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

const (
	user       = "u1"
	flow       = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	otherFlow  = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"
	deployment = "here"
)

// life is one user over several runs: a Didit, a callback endpoint, and what earlier runs said. The environment runs
// activities in goroutines of their own, and those of a terminated run go on: mu is the test's but while a run executes.
type life struct {
	mu                sync.Mutex
	t                 testing.TB
	didit             *fakeDidit
	acts              *hands
	start             time.Time
	now               time.Time
	env               *testsuite.TestWorkflowEnvironment // of the open run; nil while none is
	past              []kyc.Snapshot                     // of closed runs, oldest first
	results, refused  []kyc.Result                       // that the callback endpoint took, and what it refused from the open run
	cutOff            []kyc.Result                       // refused from runs that were terminated
	resultIDs         map[string]bool
	downUntil         time.Time // of the callback endpoint
	events            int
	runs              int
	todo              []func() // what happens next; steps while a run is open are its callbacks
	pauses            []time.Duration
	terminated        bool
	problem           string // what went wrong in a run
	prepare           func(*testsuite.TestWorkflowEnvironment)
	metrics           client.MetricsHandler
	erased, forgotten bool
	began             time.Time                          // when the newest run began
	latest            *testsuite.TestWorkflowEnvironment // of the newest run, open or closed
	list              map[string]any                     // the search attributes of the newest run
	listed            []map[string]any                   // the same after each change, of all runs
	carried           map[string]any                     // search attributes that the next run begins with
	input             kyc.Input                          // of the newest run
	callers           []*caller                          // whose START was answered a moment ago
	flow              string                             // that a caller asked for and got last; empty if the list at Didit decides
	stopped           bool                               // the newest run was cancelled in Temporal
}

func newLife(tb testing.TB, adjust ...func(*activities.Settings)) *life {
	tb.Helper()
	l := &life{t: tb, didit: newFakeDidit(), start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), resultIDs: map[string]bool{}, prepare: func(*testsuite.TestWorkflowEnvironment) {}, metrics: client.MetricsNopHandler}
	l.now = l.start
	l.didit.now = l.clock
	callbacks, err := activities.NewCallbackSender("http://callbacks.example/", []string{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"})
	require.NoError(tb, err)
	callbacks.Around(func(http.RoundTripper) http.RoundTripper { return endpoint{l} })
	settings := activities.Settings{
		WorkflowID: flow, Deployment: deployment, Environment: didit.EnvironmentLive, SessionDeadline: 60 * 24 * time.Hour,
		ReconcileAfter: 15 * time.Minute, SessionCap: 100,
	}
	for _, f := range adjust {
		f(&settings)
	}
	l.acts = &hands{Activities: &activities.Activities{Didit: l.didit, Runs: runs{l}, Callbacks: callbacks, Settings: settings}, l: l}
	l.mu.Lock()
	return l
}

// execute runs a workflow to its end, and gives the lock away for so long.
func (l *life) execute(env *testsuite.TestWorkflowEnvironment, workflow any, args ...any) {
	l.mu.Unlock()
	defer l.mu.Lock()
	env.ExecuteWorkflow(workflow, args...)
}

// after calls f while a workflow runs.
func (l *life) after(env *testsuite.TestWorkflowEnvironment, pause time.Duration, f func()) {
	env.RegisterDelayedCallback(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		f()
	}, pause)
}

// oneAtATime lets activities take turns with each other and with the test.
type oneAtATime struct {
	interceptor.WorkerInterceptorBase
	l *life
}

type turn struct {
	interceptor.ActivityInboundInterceptorBase
	l *life
}

func (o *oneAtATime) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	t := &turn{l: o.l}
	t.Next = next
	return t
}

func (t *turn) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	return t.Next.ExecuteActivity(ctx, in)
}

// hands are the real activities. The id of the test environment's run is no UUID, so metadata cannot carry it.
type hands struct {
	*activities.Activities
	l      *life
	reset  bool // the run finds at its first result that it was reset
	reread bool // the same at the first decision that it reads of its session
	sent   []activities.SendResultInput
}

func (h *hands) SendResult(ctx context.Context, in activities.SendResultInput) (activities.SentResult, error) {
	h.sent = append(h.sent, in)
	if h.reset {
		h.reset, in.RunID = false, "the run before the reset"
	}
	return h.Activities.SendResult(ctx, in)
}

func (h *hands) ReadDecision(ctx context.Context, in activities.ReadDecisionInput) (activities.Decision, error) {
	if h.reread && in.RunID != "" {
		h.reread, in.RunID = false, "the run before the reset"
	}
	d, err := h.Activities.ReadDecision(ctx, in)
	if s := h.l.didit.find(in.SessionID); d.Metadata.Attempt > 0 && s != nil && !s.created.Before(h.l.began) {
		d.Metadata.RunID = "default-test-run-id"
	}
	return d, err
}

func (l *life) clock() time.Time {
	if l.env != nil {
		return l.env.Now()
	}
	return l.now
}

// endpoint is the callback endpoint.
type endpoint struct{ l *life }

func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	code := http.StatusNoContent
	var res kyc.Result
	if err := json.Unmarshal(body, &res); err != nil {
		return nil, err
	}
	if e.l.clock().Before(e.l.downUntil) || e.l.terminated {
		code = http.StatusServiceUnavailable
		e.l.refused = append(e.l.refused, res)
	} else if id := fmt.Sprint(e.l.runs, r.Header.Get("webhook-id")); !e.l.resultIDs[id] { // all runs have one id here
		e.l.resultIDs[id] = true
		e.l.results = append(e.l.results, res)
	}
	return &http.Response{StatusCode: code, Body: io.NopCloser(&bytes.Buffer{}), Header: http.Header{}}, nil
}

// runs is what activities ask Temporal.
type runs struct{ l *life }

func (r runs) Predecessor(context.Context, string, string) (last kyc.Snapshot, _ error) {
	for _, p := range slices.Backward(r.l.past) {
		if p.Reporting && p.Reported == nil {
			return kyc.Snapshot{}, nil
		}
		if last.State.SessionID == "" && last.State.Outcome == "" {
			last.State = p.State
		}
		if p.Reported != nil {
			last.Reported = p.Reported
			break
		}
	}
	return last, nil
}

func (r runs) Deliver(context.Context, string, kyc.DiditEvent, kyc.Origin) (kyc.DeliverResult, error) {
	return kyc.DeliveredSignal, nil
}
func (r runs) Erased(context.Context, string) (bool, error) { return r.l.erased, nil }
func (r runs) DeleteRun(context.Context, string, string) error {
	r.l.forgotten = true
	return nil
}

// stuckAfter is how long a run in a test may make no progress: long, because machines have other work.
const stuckAfter = 5 * time.Minute

// newEnv is a run that is about to begin.
func (l *life) newEnv() *testsuite.TestWorkflowEnvironment {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetMetricsHandler(l.metrics)
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(l.now)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: kyc.WorkflowID(user), TaskQueue: kyc.TaskQueue})
	env.SetTestTimeout(stuckAfter)
	env.SetWorkerOptions(worker.Options{
		DeadlockDetectionTimeout: stuckAfter,
		Interceptors:             []interceptor.WorkerInterceptor{&oneAtATime{l: l}},
	})
	env.RegisterActivity(l.acts)
	l.runs++
	l.began = l.now
	l.list = map[string]any{}
	if l.carried != nil {
		l.list, l.carried = l.carried, nil
		require.NoError(l.t, env.SetTypedSearchAttributesOnStart(searchAttributes(l.list)))
	}
	env.OnUpsertTypedSearchAttributes(mock.Anything).Run(l.noteList).Return(nil).Maybe()
	l.prepare(env)
	l.latest = env
	return env
}

// rest is longer than the longest interval between two polls.
const rest = 31 * time.Hour

// then adds a step that happens after a pause.
func (l *life) then(pause time.Duration, step func()) {
	l.pauses, l.todo = append(l.pauses, pause), append(l.todo, step)
}

// live carries out all steps, and then lets the user rest until every poll has had its time.
func (l *life) live() {
	l.then(rest, func() {})
	for len(l.todo) > 0 {
		l.now = l.now.Add(l.pauses[0])
		l.next()
	}
}

func (l *life) next() {
	step := l.todo[0]
	l.todo, l.pauses = l.todo[1:], l.pauses[1:]
	step()
}

// schedule lets the next step happen in the open run.
func (l *life) schedule(env *testsuite.TestWorkflowEnvironment) {
	if len(l.todo) == 0 {
		l.terminate()
		return
	}
	l.after(env, l.pauses[0], func() {
		if l.env != env {
			return
		}
		l.next()
		if l.env == env {
			l.schedule(env)
		}
	})
}

// run begins a run and lets it live until it ends or is stopped. first happens when it has begun.
func (l *life) run(in kyc.Input, first func()) {
	env := l.newEnv()
	l.env, l.terminated, l.stopped, l.input, l.refused = env, false, false, in, nil
	l.after(env, 0, func() {
		if first != nil {
			first()
		}
		l.schedule(env)
	})
	l.execute(env, workflows.Verification, in)
	l.now = env.Now()
	var s kyc.State
	switch err := env.GetWorkflowResult(&s); {
	case l.terminated:
	case err != nil:
		l.problem = "the run failed: " + err.Error()
	default:
		l.past = append(l.past, kyc.Snapshot{State: s, Reported: &s})
	}
	l.env = nil
	l.askAgain()
}

// terminate stops the open run as Temporal's button does.
func (l *life) terminate() {
	if l.env == nil {
		return
	}
	l.past = append(l.past, l.snapshot())
	l.terminated, l.cutOff = true, append(l.cutOff, l.refused...)
	env := l.env
	l.env = nil
	l.now = env.Now()
	env.CancelWorkflow()
}

func (l *life) snapshot() (s kyc.Snapshot) {
	defer func() {
		if p := recover(); p != nil || s.State.UserID == "" { // the environment takes no query before the first task
			s = kyc.Snapshot{State: kyc.State{UserID: user}}
		}
	}()
	answer, err := l.env.QueryWorkflow(kyc.QueryVerification)
	if err == nil {
		err = answer.Get(&s)
	}
	if err != nil {
		return kyc.Snapshot{}
	}
	return s
}

// state is what GET answers.
func (l *life) state() kyc.State {
	if l.env != nil {
		return l.snapshot().State
	}
	if len(l.past) == 0 {
		return kyc.State{}
	}
	return l.past[len(l.past)-1].State
}
