package testbed

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc/codec"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

// Secret is what webhooks are signed with, Flow the flow of all sessions, Token lets a caller of the API in.
const (
	Secret = secret
	Flow   = flow
	Token  = "bench-caller-of-no-account"

	resultSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" //nolint:gosec // G101: it protects nothing
)

// Lifted is so far above what a machine does that no queue holds anything back.
var Lifted = Pace{Writes: 100_000, Reads: 100_000, Window: time.Minute}

// Fast is for measuring how fast things are: Didit answers at once, sends nothing by itself (no webhook is sent but those
// of the benchmark), and does not note its calls.
type Fast struct {
	API     bool // `starter serve`
	Peer    bool // dev/bench/peer
	Results bool // a callback endpoint, which takes all results at once
	// Observed switches on what a company has on: encrypted payloads, metrics, and traces, to a collector that takes them at once.
	Observed bool
}

// fast is what Fast adds to a tenant.
type fast struct {
	WebhookURL string // of the process webhook
	APIURL     string // of `starter serve`
	PeerURL    string
	Hook       *procs.Program
	Starter    *procs.Program
	Peer       *procs.Program

	spans       *atomic.Int64 // requests with spans that the collector has taken
	results     []string      // environment of workers
	noReconcile []string      // the same: no poll of Didit in the middle of what is measured
	observed    []string      // environment of all
	keys        string        // of payloads; empty: plain text
}

// Spans counts the requests that brought spans.
func (t *Tenant) Spans() int64 { return t.spans.Load() }

// Unobserved is the environment of a program that is not observed, but encrypts as the others do.
func (t *Tenant) Unobserved() []string {
	return []string{"OTEL_SDK_DISABLED=true", "METRICS_ADDR=off", "PAYLOAD_KEYS=" + t.keys}
}

// collect is a collector of spans that does nothing with them.
func (s *Temporal) collect(t *Tenant) error {
	keys, err := codec.Generate("bench")
	if err != nil {
		return err
	}
	t.keys, t.spans = keys, new(atomic.Int64)
	url, stop, err := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		t.spans.Add(1)
		w.WriteHeader(http.StatusOK)
	}))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, stop)
	t.observed = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "PAYLOAD_KEYS=" + keys}
	return nil
}

func (t *Tenant) makeFast(webhookAddr string) {
	t.callLog.latency, t.callLog.off, t.noReconcile = 0, true, []string{"RECONCILE_AFTER=24h"}
	t.WebhookURL = "http://" + webhookAddr + receiver.Path
	t.Sim.SetWebhookScript(diditsim.DropMask(math.MaxUint64))
}

// takeResults is a callback endpoint that does nothing with results.
func (s *Temporal) takeResults(t *Tenant) error {
	url, stop, err := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	if err != nil {
		return err
	}
	s.closers = append(s.closers, stop)
	t.results = []string{"RESULT_URL=" + url, "RESULT_SECRETS=" + resultSecret}
	return nil
}

func (s *Temporal) fastPrograms(t *Tenant, o Options) (all []*procs.Program, err error) {
	if o.Fast.API {
		addr, err := port.Free()
		if err != nil {
			return nil, err
		}
		t.APIURL = "http://" + addr + api.Path
		t.Starter = s.supervise(t, "starter", []string{"serve"}, "STARTER_ADDR="+addr, "STARTER_TOKENS=bench:"+Token)
		all = append(all, t.Starter)
	}
	if o.Fast.Peer {
		addr, err := port.Free()
		if err != nil {
			return nil, err
		}
		t.PeerURL = "http://" + addr
		t.Peer = s.supervise(t, "peer", nil, "PEER_ADDR="+addr, "DIDIT_WEBHOOK_SECRETS="+secret)
		all = append(all, t.Peer)
	}
	return all, nil
}

// AddWorker starts one more worker and returns when it works; stop stops it.
func (s *Temporal) AddWorker(ctx context.Context, t *Tenant) (stop func(), err error) {
	p, err := s.worker(t)
	if err != nil {
		return nil, err
	}
	return s.added(ctx, p)
}

// AddWebhook starts one more webhook process, with more in its environment.
func (s *Temporal) AddWebhook(ctx context.Context, t *Tenant, env ...string) (url string, p *procs.Program, stop func(), err error) {
	addr, err := port.Free()
	if err != nil {
		return "", nil, nil, err
	}
	p = s.supervise(t, "webhook", nil, append(env, "DIDIT_WEBHOOK_SECRETS="+secret, "WEBHOOK_ADDR="+addr)...)
	stop, err = s.added(ctx, p)
	return "http://" + addr + receiver.Path, p, stop, err
}

// added waits until a program works. It may be stopped before the rest is.
func (s *Temporal) added(ctx context.Context, p *procs.Program) (stop func(), err error) {
	last := len(s.closers) - 1
	s.closers = s.closers[:last] // which supervise has added
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := p.Working(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("add a process: %w", err)
	}
	return p.Stop, nil
}

// PID is the process of a program that works.
func PID(ctx context.Context, p *procs.Program) (int, error) {
	r, err := p.Working(ctx)
	if err != nil {
		return 0, err
	}
	return r.PID(), nil
}
