package testbed

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
	"didit-temporal/webhook/receiver"
)

const (
	secret = "bench-webhook-secret-of-no-account" //nolint:gosec // G101: it protects nothing
	flow   = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	// Latency of Didit's answers: of the order of a request across a continent that writes something down.
	Latency = 200 * time.Millisecond
)

// Options configures a tenant.
type Options struct {
	Namespace string // default "default"
	Pace      Pace
	Workers   int
	Webhook   bool
	Fast      *Fast // for measuring how fast things are
}

// Tenant is a namespace, an application of Didit, and the programs between them.
type Tenant struct {
	*kyc.Client
	Sim     *diditsim.Server
	Workers []*procs.Program
	Pace    Pace

	fast

	env     *run.Env
	callLog *callLog
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

// Tenant starts all that a tenant needs, and returns when its workers work.
func (s *Temporal) Tenant(ctx context.Context, o Options) (*Tenant, error) {
	t := &Tenant{Pace: o.Pace, env: s.env}
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	} else if err := s.namespace(ctx, o.Namespace); err != nil {
		return nil, err
	}
	if o.Fast != nil && o.Fast.Observed {
		if err := s.collect(t); err != nil {
			return nil, err
		}
	}
	if err := retry(ctx, func(ctx context.Context) error { return s.dial(ctx, t, o.Namespace) }); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, t.Close)
	webhookAddr, err := port.Free()
	if err != nil {
		return nil, err
	}
	so := diditsim.Options{
		APIKey: key(o.Namespace), WorkflowIDs: []string{flow}, Limits: o.Pace.limits(), WebhookSecret: secret, KeepDeliveries: 1,
		RetryDelays: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second},
	}
	if o.Webhook {
		so.WebhookURL = "http://" + webhookAddr + receiver.Path
	}
	t.Sim = diditsim.New(so)
	t.callLog = &callLog{next: t.Sim, latency: Latency}
	if o.Fast != nil {
		t.makeFast(webhookAddr)
	}
	if o.Fast != nil && o.Fast.Results {
		if err := s.takeResults(t); err != nil {
			return nil, err
		}
	}
	s.closers = append(s.closers, t.Sim.Close)
	return t, s.programs(ctx, t, o, webhookAddr)
}

func (s *Temporal) dial(ctx context.Context, t *Tenant, namespace string) error {
	co := client.Options{
		HostPort: s.Address, Namespace: namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	}
	if t.keys != "" {
		keys, err := codec.ParseKeys(t.keys)
		if err != nil {
			return err
		}
		keys.Apply(&co)
	}
	c, err := kyc.Dial(ctx, co)
	if err != nil {
		return err
	}
	if _, err := ops.New(c).Setup(ctx); err != nil {
		c.Close()
		return err
	}
	t.Client = c
	return nil
}

// programs starts workers, each with an address of Didit of its own, to distinguish its calls, and
// the webhook.
func (s *Temporal) programs(ctx context.Context, t *Tenant, o Options, webhookAddr string) error {
	all := []*procs.Program{}
	for range o.Workers {
		p, err := s.worker(t)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	if o.Webhook {
		t.Hook = s.supervise(t, "webhook", nil, append(slices.Clone(t.observed), "DIDIT_WEBHOOK_SECRETS="+secret, "WEBHOOK_ADDR="+webhookAddr)...)
		all = append(all, t.Hook)
	}
	if o.Fast != nil {
		more, err := s.fastPrograms(t, o)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range all {
		if _, err := p.Working(ctx); err != nil {
			return err
		}
	}
	return nil
}

// worker starts one more.
func (s *Temporal) worker(t *Tenant) (*procs.Program, error) {
	url, err := s.Listen(t, "worker-"+strconv.Itoa(len(t.Workers)+1))
	if err != nil {
		return nil, err
	}
	p := s.supervise(t, "worker", nil, append(slices.Concat(t.results, t.observed, t.noReconcile), "DIDIT_API_KEY="+key(t.Namespace()), "DIDIT_WORKFLOW_ID="+flow,
		"DIDIT_BASE_URL="+url, "DIDIT_WRITES_PER_MINUTE="+strconv.Itoa(t.Pace.Writes), "DIDIT_READS_PER_MINUTE="+strconv.Itoa(t.Pace.Reads),
		"DIDIT_QUEUE_PARTITIONS="+strconv.Itoa(s.partitions))...)
	t.Workers = append(t.Workers, p)
	return p, nil
}

func (s *Temporal) supervise(t *Tenant, name string, args []string, env ...string) *procs.Program {
	p := procs.Supervise(filepath.Join(s.env.Programs, name), args, s.dir,
		append(env, "TEMPORAL_ADDRESS="+s.Address, "TEMPORAL_NAMESPACE="+t.Namespace())...)
	s.closers = append(s.closers, p.Stop)
	return p
}

func key(namespace string) string { return "bench-api-key-of-no-account-" + namespace }

// Listen gives a caller of Didit an address of its own.
func (s *Temporal) Listen(t *Tenant, by string) (url string, err error) {
	url, stop, err := serve(t.callLog.from(by))
	if err == nil {
		s.closers = append(s.closers, stop)
	}
	return url, err
}

func serve(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens until it is closed
	if err != nil {
		return "", nil, fmt.Errorf("listen for calls to Didit: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}

// Calls is what Didit has got so far.
func (t *Tenant) Calls() Calls { return t.callLog.all() }

// Usage is what Didit itself has counted in a scope, over all keys.
func (t *Tenant) Usage(scope diditsim.Scope) diditsim.ScopeUsage {
	sum := diditsim.ScopeUsage{Scope: scope}
	for _, u := range t.Sim.Usage() {
		if u.Scope == scope {
			sum.Limit, sum.Calls, sum.Refused, sum.Worst = u.Limit, sum.Calls+u.Calls, sum.Refused+u.Refused, max(sum.Worst, u.Worst)
		}
	}
	return sum
}
