package proxies

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
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
	server, c := harness.Temporal(t, tserver.Options{})
	e := &env{Client: c, t: t}
	temporal := "TEMPORAL_ADDRESS=" + server.Address
	for i := range e.webhooks {
		e.webhooks[i] = start(t, "webhook", nil, "WEBHOOK_ADDR", temporal, "DIDIT_WEBHOOK_SECRETS="+secret,
			"DIDIT_ENVIRONMENT=sandbox", "WEBHOOK_ALLOW_FROM="+didit, "WEBHOOK_TRUSTED_PROXIES=127.0.0.1")
		e.apis[i] = start(t, "starter", []string{"serve"}, "STARTER_ADDR", temporal, "DIDIT_ENVIRONMENT=sandbox", "STARTER_TOKENS=signup:"+token)
	}
	key, err := codec.Generate("proxies")
	require.NoError(t, err)
	e.codec = start(t, "starter", []string{"codec-server"}, "CODEC_ADDR", "CODEC_TOKENS="+token,
		"DIDIT_ENVIRONMENT=sandbox", "PAYLOAD_KEYS="+key, "CODEC_ORIGINS=https://"+internalHost)
	worker := e.startWorker(temporal)
	for _, r := range append(append(e.webhooks[:], e.apis[:]...), e.codec, worker) {
		_, err := r.Working(e.within(timeout))
		require.NoError(t, err)
	}
	e.open()
	return e
}

// startWorker runs a worker, for the users of the API.
func (e *env) startWorker(temporal string) replica {
	sim := diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}, WebhookSecret: secret, Limits: diditsim.Unlimited})
	e.t.Cleanup(sim.Close)
	return start(e.t, "worker", nil, "METRICS_ADDR", temporal, "DIDIT_ENVIRONMENT=sandbox",
		"DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow, "DIDIT_BASE_URL="+harness.Serve(e.t, sim))
}

// start runs a program that listens where the variable says.
func start(t *testing.T, name string, args []string, variable string, settings ...string) replica {
	t.Helper()
	address := harness.Address(t)
	return replica{harness.Supervise(t, programs, name, args, append(settings, variable+"="+address)...), address}
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
	return harness.Within(e.t, d)
}
