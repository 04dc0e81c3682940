package scan

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
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
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

const (
	flow   = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	actor  = "jo"
	reason = "documents-checked:CASE-1042"
)

// env is the whole system: Temporal on a file, a Didit that plants markers, our programs at log level debug, and a
// receiver of results that repeats what it is sent.
type env struct {
	*kyc.Client
	t          *testing.T
	keys       string // PAYLOAD_KEYS
	db         string
	server     *tserver.Server
	sim        *diditsim.Server
	simURL     string
	webhookURL string
	apiURL     string
	resultURL  string
	metrics    map[string]string // addresses, by process
	traces     string            // where they are sent
	processes  []*process
	results    http.HandlerFunc
	aside      sync.WaitGroup // commands that run meanwhile

	mu     sync.Mutex
	sinks  []sink
	tokens map[string][]string // of all sessions that ever were, by user
	erased []string            // users
}

func start(t *testing.T, keys string) *env {
	t.Helper()
	w := &env{
		t: t, keys: keys, db: filepath.Join(t.TempDir(), "temporal.db"), tokens: map[string][]string{}, metrics: map[string]string{},
	}
	w.server = tserver.Run(t, tserver.Options{DBFile: w.db})
	w.dial()
	out, code := w.cli("setup")
	must(t, out, code)

	w.sim = diditsim.New(diditsim.Options{
		APIKey: apiKey, WorkflowIDs: []string{flow}, Limits: diditsim.Unlimited, Edit: w.mark, RetryDelays: []time.Duration{},
	})
	w.simURL = harness.Serve(t, marked(w.sim))
	t.Cleanup(w.sim.Close)
	results := harness.Serve(t, http.HandlerFunc(w.receive))
	w.traces = harness.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.keep(sink{name: "traces of " + service(body), data: body})
	}))

	webhook, serve := harness.Address(t), harness.Address(t)
	w.webhookURL, w.apiURL = "http://"+webhook+receiver.Path, "http://"+serve+api.Path
	w.sim.SetWebhook(w.webhookURL, webhookSecret)
	w.resultURL = strings.Replace(results, "://", "://"+resultUser+":"+resultPass+"@", 1) + "/results?tenant=" + resultQuery
	w.launch("worker", nil, w.workerEnv("worker")...)
	w.launch("webhook", nil, w.env("webhook", "WEBHOOK_ADDR="+webhook, "DIDIT_WEBHOOK_SECRETS="+nextSecret+","+webhookSecret,
		"WEBHOOK_MAX_BODY=256KiB")...)
	w.launch("starter", []string{"serve"}, w.env("starter", "STARTER_ADDR="+serve, "STARTER_TOKENS=shop:"+bearer)...)
	return w
}

// temporal is every program's settings of Temporal.
func (w *env) temporal() []string {
	return []string{"TEMPORAL_ADDRESS=" + w.server.Address, "PAYLOAD_KEYS=" + w.keys}
}

// env is the environment of a process that goes on.
func (w *env) env(process string, more ...string) []string {
	metrics := harness.Address(w.t)
	w.metrics[process] = metrics
	return append(append(w.temporal(), "METRICS_ADDR="+metrics, "OTEL_EXPORTER_OTLP_ENDPOINT="+w.traces, "OTEL_BSP_SCHEDULE_DELAY=100"), more...)
}

func (w *env) workerEnv(process string) []string {
	return w.env(process, "DIDIT_API_KEY="+apiKey, "DIDIT_WORKFLOW_ID="+flow, "DIDIT_BASE_URL="+w.simURL,
		"DIDIT_WRITES_PER_MINUTE=100000", "DIDIT_READS_PER_MINUTE=100000", "DIDIT_QUEUE_PARTITIONS=1", "RECONCILE_AFTER=2s",
		"RESULT_URL="+w.resultURL, "RESULT_SECRETS="+resultSecret)
}

// dial connects the test itself.
func (w *env) dial() {
	w.t.Helper()
	keys, err := codec.ParseKeys(w.keys)
	require.NoError(w.t, err)
	own := &buffer{}
	o := client.Options{HostPort: w.server.Address, Logger: log.NewStructuredLogger(config.NewLogger(own, slog.LevelDebug, config.JSON))}
	keys.Apply(&o)
	w.Client = harness.Dial(w.t, o)
	w.processes = append(w.processes, &process{name: "test", log: own, stop: func() {}})
}

// service is the process that sent spans: the name is in the resource, which comes first.
func service(spans []byte) string {
	for _, process := range []string{"worker", "webhook", "starter"} {
		if bytes.Contains(spans, []byte("didit-temporal-"+process)) {
			return process
		}
	}
	return "nobody"
}

// receive is the receiver of results.
func (w *env) receive(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	header := r.Header.Clone()
	header.Del("Authorization") // RESULT_URL's own
	w.keep(sink{name: "result that was sent", data: append(body, fmt.Sprint(header)...)})
	w.mu.Lock()
	answer := w.results
	w.mu.Unlock()
	if answer != nil {
		answer(rw, r)
	}
}

func (w *env) receiver(answer http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results = answer
}

// keep adds something that outlives a request.
func (w *env) keep(s sink) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sinks = append(w.sinks, s)
}

func (w *env) within(d time.Duration) context.Context {
	return harness.Within(w.t, d)
}

func (w *env) eventually(condition func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, condition, timeout, 20*time.Millisecond, what)
}

// begin starts a user on the command line and returns Didit's session.
func (w *env) begin(user string, more ...string) diditsim.Session {
	w.t.Helper()
	out, code := w.cli(append([]string{"start", "--user", user, "--timeout", "60s"}, more...)...)
	must(w.t, out, code)
	sessions := w.sim.SessionsOf(user)
	require.NotEmpty(w.t, sessions, out)
	return sessions[0]
}

// moves brings a session through statuses, each of which the verification has heard of before the next.
func (w *env) moves(user string, to ...didit.Status) {
	w.t.Helper()
	id := w.sim.SessionsOf(user)[0].ID
	for _, status := range to {
		require.NoError(w.t, w.sim.SetStatus(id, status), user)
		w.status(user, status)
	}
}

func (w *env) status(user string, want didit.Status) {
	w.t.Helper()
	w.eventually(func() bool {
		state, err := w.State(w.within(timeout), user)
		return err == nil && state.Status == want
	}, user+" is "+string(want))
}

func (w *env) ends(user string, want kyc.Outcome) {
	w.t.Helper()
	state, err := w.Wait(w.within(timeout), user)
	require.NoError(w.t, err, user)
	require.Equal(w.t, want, state.Outcome, user)
}

// call makes a request and keeps the answer.
func (w *env) call(s sink, method, url, body string, header map[string]string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.within(timeout), method, url, strings.NewReader(body))
	require.NoError(w.t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	s.data = append(answer, fmt.Sprint(res.Header)...)
	w.keep(s)
	return res.StatusCode, string(answer)
}
