package testbed

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

// Key is of Didit's API, Secret is what webhooks are signed with, Flow the flow of all sessions, Token lets a caller of our
// API in.
const (
	Key    = "bench-api-key-of-no-account"
	Secret = "bench-webhook-secret-of-no-account" //nolint:gosec // G101: it protects nothing
	Flow   = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	Token  = "bench-caller-of-no-account"

	resultSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" //nolint:gosec // G101: it protects nothing

	// Latency of Didit's answers: of the order of a request across a continent that writes something down.
	Latency = 200 * time.Millisecond
)

// Options configures a tenant.
type Options struct {
	Namespace string // default "default"
	Programs  string // folder; default: the environment's
	Pace      Pace
	Workers   int
	Webhook   bool
	// Fast is for measuring how fast things are: Didit answers at once and notes no calls, nothing polls it, it sends no webhooks
	// but those of the benchmark, and there are the HTTP API and a callback endpoint that takes all results at once.
	Fast bool
}

// Tenant is a namespace, an application of Didit, and the programs between them.
type Tenant struct {
	*kyc.Client
	Sim     *Simulator
	Pace    Pace
	Workers []*procs.Program
	Hook    *procs.Program
	Starter *procs.Program

	WebhookURL string            // of the process webhook
	APIURL     string            // of `starter serve`
	Profiles   map[string]string // address by program; empty without -profile

	o       Options
	results string // URL of the callback endpoint
}

// New is a server with one tenant.
func New(ctx context.Context, env *run.Env, to TemporalOptions, o Options) (*Temporal, *Tenant, error) {
	server, err := NewTemporal(ctx, env, to)
	if err != nil {
		return nil, nil, err
	}
	t, err := server.Tenant(ctx, o)
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return server, t, nil
}

// Tenant starts all that a tenant needs, and returns when its programs work.
func (s *Temporal) Tenant(ctx context.Context, o Options) (t *Tenant, err error) {
	o.Namespace, o.Programs = cmp.Or(o.Namespace, client.DefaultNamespace), cmp.Or(o.Programs, s.env.Programs)
	if err := s.namespace(ctx, o.Namespace); err != nil {
		return nil, err
	}
	t = &Tenant{Pace: o.Pace, o: o, Profiles: map[string]string{}}
	if err := retry(ctx, func(ctx context.Context) error { return s.setup(ctx, o) }); err != nil {
		return nil, err
	}
	t.Client, err = kyc.Dial(ctx, client.Options{HostPort: s.Address, Namespace: o.Namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, t.Close)
	if err := retry(ctx, t.knowsAttributes); err != nil {
		return nil, err
	}
	webhookAddr, err := port.Free()
	if err != nil {
		return nil, err
	}
	t.WebhookURL = "http://" + webhookAddr + receiver.Path
	s.simulate(t)
	return t, s.programs(ctx, t, webhookAddr)
}

// knowsAttributes fails while the server's caches do not have the search attributes that setup made.
func (t *Tenant) knowsAttributes(ctx context.Context) error {
	_, err := t.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: kyc.AttributeStatus + " IS NOT NULL"})
	return err
}

// setup is what an operator runs first.
func (s *Temporal) setup(ctx context.Context, o Options) error {
	cmd := exec.CommandContext(ctx, filepath.Join(o.Programs, "starter"), "setup") //nolint:gosec // G204: we have built it
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+s.Address, "TEMPORAL_NAMESPACE="+o.Namespace)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("starter setup: %w: %s", err, out)
	}
	return nil
}

// simulate starts Didit, and what takes results.
func (s *Temporal) simulate(t *Tenant) {
	so := diditsim.Options{
		WebhookSecret: Secret, KeepDeliveries: 1, RetryDelays: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second},
	}
	if t.o.Webhook {
		so.WebhookURL = t.WebhookURL
	}
	if t.o.Fast {
		t.Sim = NewSimulator(t.Pace, 0, so)
		t.Sim.SetWebhookScript(diditsim.DropMask(math.MaxUint64))
	} else {
		t.Sim = NewSimulator(t.Pace, Latency, so)
	}
	results := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.results = results.URL
	s.closers = append(s.closers, t.Sim.Close, results.Close)
}

// programs starts workers, the webhook and the API.
func (s *Temporal) programs(ctx context.Context, t *Tenant, webhookAddr string) error {
	var all []*procs.Program
	for range t.o.Workers {
		all = append(all, s.worker(t))
	}
	if t.o.Webhook {
		t.Hook = s.program(t, "webhook", nil, "DIDIT_WEBHOOK_SECRETS="+Secret, "WEBHOOK_ADDR="+webhookAddr)
		all = append(all, t.Hook)
	}
	if t.o.Fast {
		addr, err := port.Free()
		if err != nil {
			return err
		}
		t.APIURL = "http://" + addr + api.Path
		t.Starter = s.program(t, "starter", []string{"serve"}, "STARTER_ADDR="+addr, "STARTER_TOKENS=bench:"+Token)
		all = append(all, t.Starter)
	}
	return Working(ctx, all...)
}

func (s *Temporal) worker(t *Tenant) *procs.Program {
	env := []string{
		"DIDIT_API_KEY=" + Key, "DIDIT_WORKFLOW_ID=" + Flow, "DIDIT_BASE_URL=" + t.Sim.URL,
		"DIDIT_WRITES_PER_MINUTE=" + strconv.Itoa(t.Pace.Writes), "DIDIT_READS_PER_MINUTE=" + strconv.Itoa(t.Pace.Reads),
		"DIDIT_QUEUE_PARTITIONS=" + strconv.Itoa(s.o.Partitions),
	}
	if t.o.Fast {
		env = append(env, "RECONCILE_AFTER=24h", "RESULT_URL="+t.results, "RESULT_SECRETS="+resultSecret)
	}
	p := s.program(t, "worker", nil, env...)
	t.Workers = append(t.Workers, p)
	return p
}

// program starts one of the tenant's.
func (s *Temporal) program(t *Tenant, name string, args []string, env ...string) *procs.Program {
	if s.env.Profile != "" {
		if addr, err := port.Free(); err == nil {
			t.Profiles[name], env = addr, append(env, run.ProfileVariable+"="+addr)
		}
	}
	return s.Supervise(t.o.Programs, name, t.Namespace(), args, env...)
}
