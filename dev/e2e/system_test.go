// Package e2e tests the whole system: a real Temporal server, the processes as they run in production, the simulated
// Didit over real HTTP.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
	"didit-temporal/webhook/receiver"
)

const (
	apiKey = "e2e-api-key-of-the-simulator"
	secret = "e2e-webhook-secret-of-the-simulator"
	flow   = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	flow2  = "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff"
	// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
	timeout = 3 * time.Minute
)

// system is everything: Temporal, the simulated Didit, a worker and a webhook.
type system struct {
	*ops.Client
	t          *testing.T
	o          options
	sim        *diditsim.Server
	simURL     string
	webhookURL string
	server     *tserver.Server
	logs       *logs
	keys       codec.Keys // of who is started or dials next

	stopWebhook, stopWorker func()
	metrics                 map[string]string         // addresses, by process
	telemetry               map[string]*app.Telemetry // of each process that runs
}

type options struct {
	server          tserver.Options
	workerKey       string // default: the right one
	sessionDeadline time.Duration
	reconcileAfter  time.Duration
	sessionCap      int // default: 3
	webhookRetries  []time.Duration
	resultURL       string // default: no callbacks
	payloadKeys     string // PAYLOAD_KEYS of everybody; default: none
	deployment      string // KYC_DEPLOYMENT; default: the namespace
	versioning      config.Versioning
	writesPerMinute int              // default: 6000
	beside          *system          // shares its simulated Didit
	observe         config.Telemetry // nothing unless a test says so
}

// start runs a system of its own for a test. Its Temporal server is a child process, half a second away.
func start(t *testing.T, o options) *system {
	t.Helper()
	if o.workerKey == "" {
		o.workerKey = apiKey
	}
	if o.sessionDeadline == 0 {
		o.sessionDeadline = 192 * time.Hour
	}
	if o.reconcileAfter == 0 {
		o.reconcileAfter = 15 * time.Minute
	}
	s := bare(t, o)
	s.setKeys(o.payloadKeys)
	s.Client = s.dial()
	_, err := s.Setup(t.Context())
	require.NoError(t, err)

	if o.beside != nil {
		s.sim, s.simURL = o.beside.sim, o.beside.simURL
		s.stopWebhook, s.stopWorker = s.startWebhook(), s.startWorker(o)
		return s
	}
	s.sim = diditsim.New(diditsim.Options{
		APIKey: apiKey, WorkflowIDs: []string{flow, flow2}, WebhookSecret: secret, RetryDelays: o.webhookRetries,
		Limits: diditsim.Unlimited, // as the worker's rate below
	})
	t.Cleanup(s.sim.Close)
	s.simURL = harness.Serve(t, s.sim)
	s.stopWebhook, s.stopWorker = s.startWebhook(), s.startWorker(o)
	return s
}

// bare is a server that nothing of ours has touched.
func bare(t *testing.T, o options) *system {
	t.Helper()
	return &system{t: t, o: o, server: tserver.Run(t, o.server), logs: &logs{}, metrics: map[string]string{}, telemetry: map[string]*app.Telemetry{}}
}

func (s *system) dial() *ops.Client {
	s.t.Helper()
	c, _ := s.dialAs("client")
	return ops.New(c)
}

// dialAs connects as a process does that is observed.
func (s *system) dialAs(process string) (*kyc.Client, *app.Telemetry) {
	s.t.Helper()
	watch, err := app.StartTelemetry(s.t.Context(), s.o.observe, process, s.logger(process))
	require.NoError(s.t, err)
	s.t.Cleanup(watch.Close)
	s.metrics[process], s.telemetry[process] = watch.Address, watch
	dial := client.Options{HostPort: s.server.Address, Logger: log.NewStructuredLogger(s.logger("temporal"))}
	s.keys.Apply(&dial)
	return harness.Dial(s.t, watch.Client(dial)), watch
}

func (s *system) startWebhook() (stop func()) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.webhookURL = "http://" + listener.Addr().String() + receiver.Path
	s.sim.SetWebhook(s.webhookURL, secret)
	cfg := config.Webhook{
		Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: 6 * time.Minute, Environment: config.Live, MaxBody: 1 << 20,
		Deployment: s.o.deployment,
	}
	c, watch := s.dialAs("webhook")
	return s.process(func(ctx context.Context) error {
		return app.ServeWebhook(ctx, listener, c, cfg, s.logger("webhook"), watch)
	})
}

func (s *system) startWorker(o options) (stop func()) {
	c, watch := s.dialAs("worker")
	cfg := config.Worker{
		DiditAPIKey: config.NewSecret(o.workerKey), DiditWorkflowID: flow, DiditBaseURL: s.simURL, Environment: config.Live,
		WritesPerMinute: cmp.Or(o.writesPerMinute, 6000), ReadsPerMinute: 12000, // each create lists first, which is a read
		QueuePartitions: 1, SessionDeadline: o.sessionDeadline,
		ReconcileAfter: o.reconcileAfter, SessionCap: cmp.Or(o.sessionCap, 3), Deployment: o.deployment, Versioning: o.versioning,
	}
	if o.resultURL != "" {
		cfg.ResultURL = config.NewSecret(o.resultURL)
		cfg.ResultSecrets = []config.Secret{config.NewSecret(resultSecret), config.NewSecret(nextResultSecret)}
	}
	return s.process(func(ctx context.Context) error { return app.RunWorker(ctx, c, cfg, s.logger("worker"), watch) })
}

// process runs a process until it is stopped or the test ends, as SIGTERM would end it.
func (s *system) process(run func(context.Context) error) (stop func()) {
	return harness.Run(s.t, run)
}

func (s *system) logger(who string) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.logs, nil)).With("process", who)
}

// begin starts a user.
func (s *system) begin(user string) kyc.Started {
	s.t.Helper()
	started, err := s.Start(s.within(timeout), kyc.Input{UserID: user})
	require.NoError(s.t, err)
	return started
}

// result waits for the end of a user's verification.
func (s *system) result(user string) kyc.State {
	s.t.Helper()
	state, err := s.Wait(s.within(timeout), user)
	require.NoError(s.t, err)
	return state
}

// status waits until the user's verification shows a status.
func (s *system) status(user string, want didit.Status) {
	s.t.Helper()
	s.eventually(func() bool {
		state, err := s.State(s.within(timeout), user)
		return err == nil && state.Status == want
	}, "status "+string(want))
}

func (s *system) eventually(condition func() bool, what string) {
	s.t.Helper()
	require.Eventually(s.t, condition, timeout, 20*time.Millisecond, what)
}

func (s *system) within(d time.Duration) context.Context {
	return harness.Within(s.t, d)
}

// atOnce runs a subtest for each name on this one system, all at the same time. Under t.Parallel they would queue behind
// every other test of the package, and everything that waits in this system with them.
func (s *system) atOnce(names []string, f func(s *system, name string)) {
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			s.t.Run(name, func(t *testing.T) {
				sub := *s
				sub.t = t
				f(&sub, name)
			})
		})
	}
	all.Wait()
}

// open opens the hosted page, as the person's browser does.
func (s *system) open(pageURL string) string {
	s.t.Helper()
	res, err := http.Get(pageURL)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return string(body)
}

// press presses a button of the hosted page.
func (s *system) press(pageURL, action string) {
	s.t.Helper()
	require.Contains(s.t, s.open(pageURL), `value="`+action+`"`)
	res, err := http.PostForm(pageURL, url.Values{"action": {action}})
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
}

// sessionsOf counts the sessions that Didit has of a user.
func (s *system) sessionsOf(user string) (n int) {
	for _, x := range s.sim.Sessions() {
		if x.VendorData == user {
			n++
		}
	}
	return n
}

// logs collects what the processes log.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logs) contain(parts ...string) bool {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			return true
		}
	}
	return false
}
