package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

const (
	apiKey = "soak-api-key-of-no-account"
	secret = "soak-webhook-secret-of-no-account"
	flow   = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// env is Temporal on a file, a Didit that sends nothing by itself, and our two programs.
type env struct {
	*kyc.Client
	t          *testing.T
	webhookURL string
	metricsURL string
	webhook    *procs.Process
	people     []person
}

// person is a user with an open verification.
type person struct{ id, run, session string }

func start(t *testing.T, people int) *env {
	t.Helper()
	w := &env{t: t}
	server, c := harness.Temporal(t, tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	w.Client = c
	sim := diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}, Limits: diditsim.Unlimited})
	t.Cleanup(sim.Close)
	diditURL := harness.Serve(t, sim)

	webhookAddr, metricsAddr := harness.Address(t), harness.Address(t)
	w.webhookURL, w.metricsURL = "http://"+webhookAddr+receiver.Path, "http://"+metricsAddr+"/metrics"
	w.supervise("worker", "TEMPORAL_ADDRESS="+server.Address, "DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow,
		"DIDIT_BASE_URL="+diditURL, "DIDIT_WRITES_PER_MINUTE=100000", "DIDIT_READS_PER_MINUTE=100000")
	w.webhook = w.supervise("webhook", "TEMPORAL_ADDRESS="+server.Address,
		"DIDIT_WEBHOOK_SECRETS="+secret, "WEBHOOK_ADDR="+webhookAddr, "METRICS_ADDR="+metricsAddr)
	w.signUp(people, sim)
	return w
}

func (w *env) supervise(name string, env ...string) *procs.Process {
	w.t.Helper()
	r, err := harness.Supervise(w.t, programs, name, nil, env...).Working(harness.Within(w.t, timeout))
	require.NoError(w.t, err)
	return r
}

// signUp starts n people, who are at Didit's page, as the events say: where Didit's decision says something else, a
// verification that has polled it reads it again for every event.
func (w *env) signUp(n int, sim *diditsim.Server) {
	w.t.Helper()
	ctx := harness.Within(w.t, timeout)
	w.people = make([]person, n)
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i := range w.people {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			began, err := w.Start(ctx, kyc.Input{UserID: fmt.Sprintf("soak-%d", i)})
			if err == nil {
				err = sim.SetStatus(began.Session.SessionID, didit.StatusInProgress)
			}
			if err != nil {
				w.t.Error(err)
			}
			w.people[i] = person{id: fmt.Sprintf("soak-%d", i), run: began.RunID, session: began.Session.SessionID}
		})
	}
	all.Wait()
	require.False(w.t, w.t.Failed(), "a user could not sign up")
}

// signals counts each event in a person's history.
func (w *env) signals(ctx context.Context, p person) (map[string]int, error) {
	times := map[string]int{}
	events := w.Temporal().GetWorkflowHistory(ctx, kyc.WorkflowID(p.id), p.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		ev, err := events.Next()
		if err != nil {
			return nil, err
		}
		signal := ev.GetWorkflowExecutionSignaledEventAttributes()
		if signal == nil {
			continue
		}
		var event kyc.DiditEvent
		if err := json.Unmarshal(signal.GetInput().GetPayloads()[0].GetData(), &event); err != nil {
			return nil, err
		}
		times[event.EventID]++
	}
	return times, nil
}
