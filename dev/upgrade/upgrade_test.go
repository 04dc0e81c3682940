package upgrade

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"didit-temporal/dev/audit"
	"didit-temporal/dev/harness"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
	"didit-temporal/workflows"
)

const (
	apiKey = "upgrade-api-key-of-no-account"
	secret = "upgrade-webhook-secret-of-no-account"
	token  = "upgrade-token-of-no-signup-service"
	flow   = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// system is Temporal, the simulated Didit and the replicas of our processes.
type system struct {
	*kyc.Client
	sim     *diditsim.Server
	creates audit.Creates
	apiURL  string

	worker, webhook, api *fleet

	taken  atomic.Int64 // steps of people
	later  atomic.Int64 // requests to the API that it answered 202
	failed atomic.Int64 // requests to the API that failed
}

func start(t *testing.T, folder string) *system {
	t.Helper()
	server, client := harness.Temporal(t, tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	s := &system{Client: client}
	temporal := "TEMPORAL_ADDRESS=" + server.Address
	s.webhook = &fleet{t: t, name: "webhook", listens: "WEBHOOK_ADDR", env: []string{temporal, "DIDIT_WEBHOOK_SECRETS=" + secret}}
	s.api = &fleet{t: t, name: "starter", args: []string{"serve"}, listens: "STARTER_ADDR", env: []string{temporal, "STARTER_TOKENS=shop:" + token}}
	s.apiURL = harness.Serve(t, s.api.handler())
	s.sim = diditsim.New(diditsim.Options{
		APIKey: apiKey, WorkflowIDs: []string{flow}, WebhookURL: harness.Serve(t, s.webhook.handler()) + receiver.Path,
		WebhookSecret: secret, Limits: diditsim.Unlimited,
	})
	diditURL := harness.Serve(t, s.creates.Before(s.sim))
	t.Cleanup(s.sim.Close)
	s.worker = &fleet{t: t, name: "worker", env: []string{
		temporal, "DIDIT_API_KEY=" + apiKey, "DIDIT_WORKFLOW_ID=" + flow, "DIDIT_BASE_URL=" + diditURL,
		"DIDIT_WRITES_PER_MINUTE=100000", "DIDIT_READS_PER_MINUTE=100000",
	}}
	for _, f := range []*fleet{s.worker, s.webhook, s.api} {
		f.start(folder)
	}
	return s
}

// phase is a part of the upgrade. do replaces replicas, each when it is its turn.
type phase struct {
	name string
	do   func(turn func(replica int))
}

// The order is that of docs/operations/upgrades.md: workers first, and last on the way back.
func (s *system) phases(older, newer string) []phase {
	stay := func(func(int)) {}
	to := func(f *fleet, folder string) func(func(int)) { return func(turn func(int)) { f.replace(folder, turn) } }
	return []phase{
		{"the previous release", stay},
		{"workers are upgraded", to(s.worker, newer)},
		{"webhooks are upgraded", to(s.webhook, newer)},
		{"APIs are upgraded", to(s.api, newer)},
		{"this tree", stay},
		{"APIs go back", to(s.api, older)},
		{"webhooks go back", to(s.webhook, older)},
		{"workers go back", to(s.worker, older)},
		{"the previous release again", stay},
	}
}

// Every verification spans phases, so that each version continues what the other began. RECONCILE_AFTER is 15 minutes:
// a lost webhook would not heal within the test.
func TestAnUpgradeUnderLoadAndBackLosesNothing(t *testing.T) {
	skip.Long(t)
	older := buildPrevious(t)
	s := start(t, older)
	version := map[string]string{} // by process of a worker
	phases := s.phases(older, newer)
	persons := people(*users, len(phases))
	for i, p := range phases {
		before := s.taken.Load()
		mixed := s.act(t, persons, i, p)
		for _, pid := range s.worker.processes() {
			version[pid] = map[bool]string{true: "new", false: "old"}[i >= 1 && i < 7]
		}
		t.Logf("%-28s %3d steps, %3d of them with both versions", p.name, s.taken.Load()-before, mixed)
	}
	r := s.audit(t, persons)
	both, replayed := shared(r.Histories, version), 0
	for _, h := range r.Histories {
		assert.NoError(t, replay(t, h))
		replayed++
	}
	t.Logf("%s %s to this tree and back, seed %d\n%s  %-46s %d, and %d answered 202\n  %-46s %d\n  %-46s %d", "previous release", previous(), *seed, r,
		"requests to the API that failed", s.failed.Load(), s.later.Load(), "runs with tasks of both versions", both, "histories replayed by this tree", replayed)
	r.Require(t, len(persons))
	assert.Equal(t, len(persons), r.Creates, "calls to create a session")
	assert.Zero(t, s.failed.Load(), "requests to the API that failed")
	assert.Greater(t, both, len(persons)/4, "runs with tasks of both versions")
}

// act lets people take their steps of a phase and changes the system meanwhile: one replica after a third of the steps,
// the other one after two thirds. It counts the steps between the two.
func (s *system) act(t *testing.T, persons []*person, i int, p phase) int64 {
	t.Helper()
	ctx := harness.Within(t, 2*timeout)
	before, planned := s.taken.Load(), 0
	var all errgroup.Group
	for _, x := range persons {
		planned += len(x.in(i))
		all.Go(func() error { return s.live(ctx, x, i) })
	}
	var turns []int64
	p.do(func(replica int) {
		want := before + int64(planned*(replica+1)/(replicas+1))
		require.Eventually(t, func() bool { return s.taken.Load() >= want }, timeout, 5*time.Millisecond, p.name)
		turns = append(turns, s.taken.Load())
	})
	require.NoError(t, all.Wait())
	if len(turns) == 0 {
		return 0
	}
	return turns[replicas-1] - turns[0]
}

func (s *system) audit(t *testing.T, persons []*person) *audit.Report {
	t.Helper()
	all := make([]audit.Person, len(persons))
	for i, p := range persons {
		all[i] = audit.Person{ID: p.id, Verdict: p.verdict}
	}
	return audit.Auditor{Client: s.Client, Sim: s.sim, Creates: &s.creates}.Run(harness.Within(t, 2*timeout), all)
}

// shared counts the runs that workers of both versions worked on.
func shared(histories []*historypb.History, version map[string]string) (n int) {
	for _, h := range histories {
		by := map[string]bool{}
		for _, ev := range h.GetEvents() {
			if started := ev.GetWorkflowTaskStartedEventAttributes(); started != nil {
				pid, _, _ := strings.Cut(started.GetIdentity(), "@")
				by[version[pid]] = true
			}
		}
		if by["old"] && by["new"] {
			n++
		}
	}
	return n
}

// replay runs this tree's workflow on a history.
func replay(t *testing.T, h *historypb.History) error {
	t.Helper()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DisableDeadlockDetection: true})
	require.NoError(t, err)
	r.RegisterWorkflowWithOptions(workflows.Verification, workflow.RegisterOptions{Name: kyc.WorkflowVerification})
	id := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
	return r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h,
		worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}})
}
