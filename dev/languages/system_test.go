// Package languages runs the clients of other languages, and the pages' examples, against the whole system: a real Temporal
// server, our processes, the simulated Didit. `make languages` runs it; without -languages its tests are skipped, because
// they install packages.
package languages

import (
	"context"
	"flag"
	"log/slog"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/hosted"
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

var languages = flag.Bool("languages", false, "install the packages of other languages and run their clients (make languages)")

const (
	apiKey       = "languages-api-key-of-the-simulator"
	secret       = "languages-webhook-secret-of-the-simulator"
	flow         = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	otherFlow    = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"
	resultSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
	timeout = 3 * time.Minute
)

func needsLanguages(t *testing.T) {
	t.Helper()
	if !*languages {
		t.Skip("installs packages: make languages")
	}
}

// system is everything that a client of another language talks to.
type system struct {
	*kyc.Client
	t       *testing.T
	sim     *diditsim.Server
	address string // of Temporal
	keys    string // PAYLOAD_KEYS of our processes
}

// start runs a system whose worker posts results to resultURL, if there is one.
func start(t *testing.T, keys, resultURL string) *system {
	t.Helper()
	s := &system{t: t, keys: keys, address: tserver.Run(t, tserver.Options{}).Address}
	s.Client = s.dial()
	_, err := ops.New(s.Client).Setup(t.Context())
	require.NoError(t, err)
	s.sim = diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow, otherFlow}, WebhookSecret: secret, Limits: diditsim.Unlimited})
	t.Cleanup(s.sim.Close)
	didit := httptest.NewServer(s.sim)
	t.Cleanup(didit.Close)
	s.startWebhook()
	s.startWorker(didit.URL, resultURL)
	return s
}

func (s *system) dial() *kyc.Client {
	s.t.Helper()
	keys, err := codec.ParseKeys(s.keys)
	require.NoError(s.t, err)
	o := client.Options{HostPort: s.address, Logger: log.NewStructuredLogger(discarded())}
	keys.Apply(&o)
	c, err := kyc.Dial(s.t.Context(), o)
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

func discarded() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (s *system) startWebhook() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.sim.SetWebhook("http://"+listener.Addr().String()+receiver.Path, secret)
	c := s.dial()
	cfg := config.Webhook{
		Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: 6 * time.Minute, Environment: config.Live, MaxBody: 1 << 20,
	}
	s.process(func(ctx context.Context) error { return app.ServeWebhook(ctx, listener, c, cfg, discarded()) })
}

func (s *system) startWorker(diditURL, resultURL string) {
	c := s.dial()
	cfg := config.Worker{
		DiditAPIKey: config.NewSecret(apiKey), DiditWorkflowID: flow, DiditBaseURL: diditURL, Environment: config.Live,
		WritesPerMinute: 6000, ReadsPerMinute: 6000, QueuePartitions: 1, SessionDeadline: 192 * time.Hour,
		ReconcileAfter: 15 * time.Minute, SessionCap: 10,
	}
	if resultURL != "" {
		cfg.ResultURL, cfg.ResultSecrets = config.NewSecret(resultURL), []config.Secret{config.NewSecret(resultSecret)}
	}
	s.process(func(ctx context.Context) error { return app.RunWorker(ctx, c, cfg, discarded()) })
}

// process runs one of ours until the test ends, as SIGTERM would end it.
func (s *system) process(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	s.t.Cleanup(sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}))
}

func (s *system) within() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), timeout)
	s.t.Cleanup(cancel)
	return ctx
}

// press presses a button of the hosted page, as the person does.
func (s *system) press(url, action string) {
	s.t.Helper()
	require.NoError(s.t, hosted.Press(s.within(), url, action))
}

// closed waits until the user's run is over.
func (s *system) closed(user string) {
	s.t.Helper()
	_ = s.Temporal().GetWorkflow(s.within(), kyc.WorkflowID(user), "").Get(s.within(), nil) // an end without a result is one
}

// moves moves the user's session at Didit and waits until our side knows.
func (s *system) moves(user string, to didit.Status) {
	s.t.Helper()
	state, err := s.State(s.within(), user)
	require.NoError(s.t, err)
	if state.Status == didit.StatusNotStarted && to != didit.StatusExpired {
		require.NoError(s.t, s.sim.SetStatus(state.SessionID, didit.StatusInProgress))
	}
	require.NoError(s.t, s.sim.SetStatus(state.SessionID, to))
	s.eventually("status "+string(to), func() bool {
		state, err := s.State(s.within(), user)
		return err == nil && state.Status == to
	})
}

func (s *system) eventually(what string, condition func() bool) {
	s.t.Helper()
	require.Eventually(s.t, condition, timeout, 50*time.Millisecond, what)
}
