package chaos

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/audit"
	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

const (
	apiKey = "chaos-api-key-of-no-account"
	secret = "chaos-webhook-secret-of-no-account"
	flow   = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// env is everything: Temporal on a file, the simulated Didit, and our two programs.
type env struct {
	*kyc.Client
	t          *testing.T
	server     *tserver.Server
	sim        *diditsim.Server
	webhookURL string
	worker     *procs.Program
	webhook    *procs.Program

	creates audit.Creates

	mu         sync.Mutex
	onDecision func(sessionID string) // after an answer to a read of the decision
}

type options struct {
	reconcileAfter time.Duration   // default 15 min
	retries        []time.Duration // of the webhooks
	script         diditsim.WebhookScript
	webhookVia     func(address string) string // between the webhook and Temporal
}

func start(t *testing.T, o options) *env {
	t.Helper()
	if o.reconcileAfter == 0 {
		o.reconcileAfter = 15 * time.Minute
	}
	w := &env{t: t}
	w.server, w.Client = harness.Temporal(t, tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	webhookAddr := harness.Address(t)
	w.webhookURL = "http://" + webhookAddr + receiver.Path
	w.sim = diditsim.New(diditsim.Options{
		APIKey: apiKey, WorkflowIDs: []string{flow}, RetryDelays: o.retries, Webhooks: o.script,
		WebhookURL: w.webhookURL, WebhookSecret: secret, Limits: diditsim.Unlimited,
	})
	diditURL := harness.Serve(t, w.creates.Before(http.HandlerFunc(w.didit)))
	t.Cleanup(w.sim.Close) // first, for it ends the delays of faults

	w.worker = harness.Supervise(t, programs, "worker", nil, "TEMPORAL_ADDRESS="+w.server.Address,
		"DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow, "DIDIT_BASE_URL="+diditURL, "DIDIT_WRITES_PER_MINUTE=100000",
		"DIDIT_READS_PER_MINUTE=100000", "RECONCILE_AFTER="+o.reconcileAfter.String())
	address := w.server.Address
	if o.webhookVia != nil {
		address = o.webhookVia(address)
	}
	w.webhook = harness.Supervise(t, programs, "webhook", nil, "TEMPORAL_ADDRESS="+address,
		"DIDIT_WEBHOOK_SECRETS="+secret, "WEBHOOK_ADDR="+webhookAddr)
	for _, p := range []*procs.Program{w.worker, w.webhook} {
		_, err := p.Working(w.within(timeout))
		require.NoError(t, err)
	}
	return w
}

// didit is the simulator, and reports reads of decisions.
func (w *env) didit(rw http.ResponseWriter, r *http.Request) {
	w.sim.ServeHTTP(rw, r)
	w.mu.Lock()
	called := w.onDecision
	w.mu.Unlock()
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if called != nil && len(path) == 4 && path[3] == "decision" {
		called(path[2])
	}
}

func (w *env) within(d time.Duration) context.Context {
	return harness.Within(w.t, d)
}

func (w *env) eventually(condition func() bool, what string, args ...any) {
	w.t.Helper()
	require.Eventuallyf(w.t, condition, timeout, 20*time.Millisecond, what, args...)
}

func (w *env) begin(user string) kyc.Started {
	w.t.Helper()
	began, err := w.signUp(w.within(timeout), user)
	require.NoError(w.t, err)
	return began
}

// signUp starts a user as a signup service does: whatever goes wrong, it asks again.
func (w *env) signUp(ctx context.Context, user string) (kyc.Started, error) {
	return audit.Retry(ctx, func(ctx context.Context) (kyc.Started, error) { return w.Start(ctx, kyc.Input{UserID: user}) })
}

// ends waits for the end of a user's verification, whatever happens to Temporal meanwhile.
func (w *env) ends(ctx context.Context, user string) (kyc.State, error) {
	return audit.Retry(ctx, func(ctx context.Context) (kyc.State, error) { return w.Wait(ctx, user) })
}

func (w *env) result(user string) kyc.State {
	w.t.Helper()
	state, err := w.ends(w.within(timeout), user)
	require.NoError(w.t, err)
	return state
}
