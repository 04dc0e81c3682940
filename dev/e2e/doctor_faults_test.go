package e2e

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/doctor"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// healthy is a system that the doctor has nothing to say about but what its test server always lacks.
func healthy(t *testing.T, o options) (*system, doctor.Options, map[string]string) {
	t.Helper()
	o.observe = config.Telemetry{MetricsAddr: "127.0.0.1:0"}
	s := start(t, o)
	opt, env := s.patient()
	opt.Metrics = []string{"http://" + s.metrics["worker"], "http://" + s.metrics["webhook"]}
	s.begin("u1")
	s.eventually(func() bool { return !contains(complaints(t, opt), "failed ") }, "it is well: processes publish their settings a moment after they began")
	return s, opt, env
}

// What a worker leaves behind at Temporal looks alive for minutes.
func TestTheDoctorFindsADeadWorker(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, opt, _ := healthy(t, options{})
	s.stopWorker()
	found := complaints(t, opt)
	assert.True(t, contains(found, "failed a worker answers", "Temporal shows them for minutes", "start a worker"), "%q", found)
	for _, f := range doctor.Run(t.Context(), opt) {
		if f.Check == "workers" {
			t.Logf("pollers at that moment: %s %s", f.Status, f.Found)
		}
	}
}

// Without a verification to ask about, the doctor waits for the next poll.
func TestTheDoctorFindsADeadWorkerInAnEmptyNamespace(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	opt, _ := s.patient()
	s.stopWorker()
	die := s.poll()
	s.eventually(func() bool { return !contains(complaints(t, opt), "failed workers") }, "Temporal shows pollers")
	die()
	waits := 0
	opt.After = func(time.Duration) <-chan time.Time { // the minute in which a living worker would have polled
		waits++
		c := make(chan time.Time, 1)
		c <- time.Now()
		return c
	}
	found := complaints(t, opt)
	assert.True(t, contains(found, "failed a worker answers", "have not polled again", "start a worker"), "%q", found)
	assert.Equal(t, 62, waits)
}

// poll is a worker in its first polls. What it returns kills it: unlike one that stops, it does not say so, and Temporal shows
// it for minutes.
func (s *system) poll() (die func()) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), timeout)
	service, polls := s.Temporal().WorkflowService(), sync.WaitGroup{}
	polls.Go(func() {
		_, _ = service.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
			Namespace: s.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: kyc.TaskQueue}, Identity: "dead",
		})
	})
	for _, queue := range []string{kyc.TaskQueue, kyc.TaskQueueDiditWrite, kyc.TaskQueueDiditRead} {
		polls.Go(func() {
			_, _ = service.PollActivityTaskQueue(ctx, &workflowservice.PollActivityTaskQueueRequest{
				Namespace: s.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, Identity: "dead",
			})
		})
	}
	return func() {
		cancel()
		polls.Wait()
	}
}

// Settings that differ between processes are seen in what they publish.
func TestTheDoctorComparesRunningProcesses(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, opt, env := healthy(t, options{})
	env["DIDIT_WORKFLOW_ID"] = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	found := complaints(t, opt)
	assert.True(t, contains(found, "failed settings of running processes: worker has DIDIT_WORKFLOW_ID "+flow, "start it again"), "%q", found)
	env["DIDIT_WORKFLOW_ID"] = flow

	s.stopWebhook() // another one, of the other environment
	s.stopWebhook = s.startWebhookAs(sandbox)
	opt.WebhookURL, opt.PublicURL = s.webhookURL, s.webhookURL
	opt.Metrics[1] = "http://" + s.metrics["webhook"]
	s.eventually(func() bool {
		found = complaints(t, opt)
		return contains(found, "failed settings of running processes: webhook has DIDIT_ENVIRONMENT sandbox", "start it again")
	}, "the webhook's environment")
}

// startWebhookAs is startWebhook with other settings.
func (s *system) startWebhookAs(change func(*config.Webhook)) (stop func()) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.webhookURL = "http://" + listener.Addr().String() + receiver.Path
	s.sim.SetWebhook(s.webhookURL, secret)
	cfg := config.Webhook{
		Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: 6 * time.Minute, Environment: config.Live, MaxBody: 1 << 20,
	}
	change(&cfg)
	c, watch := s.dialAs("webhook")
	return s.process(func(ctx context.Context) error {
		return app.ServeWebhook(ctx, listener, c, cfg, s.logger("webhook"), watch)
	})
}

func sandbox(cfg *config.Webhook) { cfg.Environment = config.Sandbox }

// An endpoint that is down, and a result that waits for it, are two findings.
func TestTheDoctorFindsResultsThatWait(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(endpoint.Close)
	s := start(t, options{resultURL: endpoint.URL})
	opt, env := s.patient()
	env["RESULT_URL"], env["RESULT_SECRETS"] = endpoint.URL, resultSecret
	began := s.begin("u1")
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusInProgress))
	require.NoError(t, s.sim.SetStatus(began.Session.SessionID, didit.StatusApproved))
	s.eventually(func() bool { return contains(complaints(t, opt), "failed results on their way: 1 verifications wait") }, "the result waits")
	found := complaints(t, opt)
	assert.True(t, contains(found, "failed callback endpoint: it answers 503 to a POST", "see the log of your endpoint"), "%q", found)
}

// The server takes NaN for a limit, and then there is none.
func TestALimitThatIsNoNumberIsFoundAndPutRight(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, opt, _ := healthy(t, options{})
	for _, odd := range []float64{math.NaN(), math.Inf(1)} {
		s.limit(kyc.TaskQueueDiditWrite, float32(odd))
		s.eventually(func() bool {
			return contains(complaints(t, opt), "failed limit of didit-write", "is not a number", "queue-rps-limit default")
		}, "the doctor says that there is no limit")
		_, now, err := s.LimitQueue(s.within(timeout), kyc.TaskQueueDiditWrite, 96, "the worker's start")
		require.NoError(t, err)
		assert.True(t, now, "a worker that starts puts its own back")
		s.eventually(func() bool { return !contains(complaints(t, opt), "failed limit of didit-write") }, "and all is well")
	}
}
