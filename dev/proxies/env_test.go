package proxies

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

const (
	secret = "proxies-webhook-secret-of-no-account"
	apiKey = "proxies-api-key-of-no-account"
	flow   = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	token  = "proxies-token-of-a-signup-service"
	// didit is the loopback address that plays Didit's, the only one that may send.
	didit = "127.0.0.2"
)

// env is what stands behind a proxy: Temporal, two webhook processes, two of the API, a codec server.
type env struct {
	*kyc.Client
	t        *testing.T
	webhooks [2]replica
	apis     [2]replica
	codec    replica
	runs     []string // of the users
}

// replica is a process that starts again whenever it ends.
type replica struct {
	*procs.Program
	address string
}

func newEnv(t *testing.T) *env {
	t.Helper()
	server := tserver.Run(t, tserver.Options{})
	c, err := kyc.Dial(t.Context(), client.Options{HostPort: server.Address, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = ops.New(c).Setup(t.Context())
	require.NoError(t, err)
	e := &env{Client: c, t: t}
	temporal := "TEMPORAL_ADDRESS=" + server.Address
	for i := range e.webhooks {
		e.webhooks[i] = start(t, "webhook", "webhook listens", "WEBHOOK_ADDR", nil, temporal, "DIDIT_WEBHOOK_SECRETS="+secret,
			"DIDIT_ENVIRONMENT=sandbox", "WEBHOOK_ALLOW_FROM="+didit, "WEBHOOK_TRUSTED_PROXIES=127.0.0.1")
		e.apis[i] = start(t, "starter", "api listens", "STARTER_ADDR", []string{"serve"}, temporal, "DIDIT_ENVIRONMENT=sandbox", "STARTER_TOKENS=signup:"+token)
	}
	key, err := codec.Generate("proxies")
	require.NoError(t, err)
	e.codec = start(t, "starter", "codec server listens", "CODEC_ADDR", []string{"codec-server"}, "CODEC_TOKENS="+token,
		"DIDIT_ENVIRONMENT=sandbox", "PAYLOAD_KEYS="+key, "CODEC_ORIGINS=https://"+internalHost)
	worker := e.startWorker(temporal)
	for _, r := range append(append(e.webhooks[:], e.apis[:]...), e.codec, worker) {
		_, err := r.Working(e.within(patience))
		require.NoError(t, err)
	}
	e.open()
	return e
}

// startWorker runs a worker, for the users of the API.
func (e *env) startWorker(temporal string) replica {
	sim := diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}, WebhookSecret: secret, Limits: diditsim.Unlimited})
	e.t.Cleanup(sim.Close)
	srv := httptest.NewServer(sim)
	e.t.Cleanup(srv.Close)
	return start(e.t, "worker", "worker runs", "METRICS_ADDR", nil, temporal, "DIDIT_ENVIRONMENT=sandbox",
		"DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow, "DIDIT_BASE_URL="+srv.URL)
}

func start(t *testing.T, name, ready, variable string, args []string, settings ...string) replica {
	t.Helper()
	n, err := port.Pick("127.0.0.1", 0)
	require.NoError(t, err)
	r := replica{address: "127.0.0.1:" + strconv.Itoa(n)}
	r.Program = procs.SuperviseWith(args, filepath.Join(programs, name), t.TempDir(), ready, append(settings, variable+"="+r.address)...)
	t.Cleanup(func() {
		r.Stop()
		if t.Failed() {
			t.Logf("%s %v logged last:\n%s", name, args, r.Log())
		}
	})
	return r
}

// users have a verification each that is open and that no worker takes, so that every webhook ends up in its history.
const users = 50

func userOf(i int) string { return "user-" + strconv.Itoa(i%users) }

func (e *env) open() {
	for i := range users {
		run, err := e.Temporal().ExecuteWorkflow(e.t.Context(), client.StartWorkflowOptions{
			ID: kyc.WorkflowID(userOf(i)), TaskQueue: "nobody-works-here",
		}, kyc.WorkflowVerification, kyc.Input{UserID: userOf(i)})
		require.NoError(e.t, err)
		e.runs = append(e.runs, run.GetRunID())
	}
}

// stored counts how often each event is in a history.
func (e *env) stored() map[string]int {
	count := map[string]int{}
	for i, run := range e.runs {
		events := e.Temporal().GetWorkflowHistory(e.t.Context(), kyc.WorkflowID(userOf(i)), run, false, 0)
		for events.HasNext() {
			event, err := events.Next()
			require.NoError(e.t, err)
			if signal := event.GetWorkflowExecutionSignaledEventAttributes(); signal != nil {
				var ev kyc.DiditEvent
				require.NoError(e.t, converter.GetDefaultDataConverter().FromPayloads(signal.GetInput(), &ev))
				count[ev.EventID]++
			}
		}
	}
	return count
}

func (e *env) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(e.t.Context(), d)
	e.t.Cleanup(cancel)
	return ctx
}
