package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

const (
	apiKey = "soak-api-key-of-no-account"
	secret = "soak-webhook-secret-of-no-account"
	flow   = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// world is Temporal on a file, a Didit that sends nothing by itself, and our two programs.
type world struct {
	*kyc.Client
	t          *testing.T
	webhookURL string
	metricsURL string
	webhook    *procs.Process
	people     []person
}

// person is a user with an open verification.
type person struct{ id, run, session string }

func start(t *testing.T, people int) *world {
	t.Helper()
	w := &world{t: t}
	server := tserver.Run(t, tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	c, err := kyc.Dial(t.Context(), client.Options{
		HostPort: server.Address, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w.Client = c
	_, err = ops.New(c).Setup(t.Context())
	require.NoError(t, err)
	sim := diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}, Limits: diditsim.Unlimited})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(sim)
	t.Cleanup(api.Close)

	webhookAddr, metricsAddr := free(t), free(t)
	w.webhookURL, w.metricsURL = "http://"+webhookAddr+receiver.Path, "http://"+metricsAddr+"/metrics"
	w.supervise("worker", "worker runs", "TEMPORAL_ADDRESS="+server.Address, "DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow,
		"DIDIT_BASE_URL="+api.URL, "DIDIT_WRITES_PER_MINUTE=100000", "DIDIT_READS_PER_MINUTE=100000")
	w.webhook = w.supervise("webhook", "webhook listens", "TEMPORAL_ADDRESS="+server.Address,
		"DIDIT_WEBHOOK_SECRETS="+secret, "WEBHOOK_ADDR="+webhookAddr, "METRICS_ADDR="+metricsAddr)
	w.signUp(people)
	return w
}

func free(t *testing.T) string {
	t.Helper()
	p, err := port.Pick("127.0.0.1", 0)
	require.NoError(t, err)
	return "127.0.0.1:" + strconv.Itoa(p)
}

func (w *world) supervise(name, ready string, env ...string) *procs.Process {
	w.t.Helper()
	p := procs.Supervise(filepath.Join(programs, name), w.t.TempDir(), ready, env...)
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("%s logged last:\n%s", name, p.Log())
		}
		p.Stop()
	})
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r, err := p.Working(ctx)
	require.NoError(w.t, err)
	return r
}

func (w *world) signUp(n int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	w.people = make([]person, n)
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i := range w.people {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			began, err := w.Start(ctx, kyc.Input{UserID: fmt.Sprintf("soak-%d", i)})
			if err != nil {
				w.t.Error(err)
			}
			w.people[i] = person{id: fmt.Sprintf("soak-%d", i), run: began.RunID, session: began.Session.SessionID}
		})
	}
	all.Wait()
	require.False(w.t, w.t.Failed(), "somebody could not sign up")
}

// signals counts each event in a person's history.
func (w *world) signals(ctx context.Context, p person) (map[string]int, error) {
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
		var told kyc.DiditEvent
		if err := json.Unmarshal(signal.GetInput().GetPayloads()[0].GetData(), &told); err != nil {
			return nil, err
		}
		times[told.EventID]++
	}
	return times, nil
}
