// Package doctor checks everything that a verification depends on and says how to fix what is wrong. It changes
// nothing: not at Temporal, not at Didit, and its event for the webhook is marked as a test.
package doctor

import (
	"context"
	"net/http"
	"time"

	"go.temporal.io/sdk/client"

	"didit-temporal/internal/config"
)

// Status is how a check ended.
type Status string

// The ends of a check. A skipped check says why: a missing line would look like health.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, and might not tomorrow
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Finding is the result of one check.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Fix    string `json:"fix,omitempty"` // what to do about it
}

// Options says what to check.
type Options struct {
	Getenv   config.Getenv
	Temporal func() (client.Options, error)
	// Process is the process whose settings are checked, worker or webhook: each may have a machine of its own. Empty: both.
	Process string
	// PublicURL is where Didit sends webhooks. Empty: all destinations.
	PublicURL string
	// WebhookURL is where the webhook gets a test event. Empty: WEBHOOK_ADDR on this machine.
	WebhookURL string
	// APIURL is where `starter serve` is. Empty: STARTER_ADDR on this machine.
	APIURL string
	// WaitingUser has an open verification, which a long poll reads.
	WaitingUser string
	// Metrics are the addresses of processes' metrics, Prometheus that of one that collects them. Both empty: the usual
	// ports of this machine.
	Metrics    []string
	Prometheus string
	Now        func() time.Time
	After      func(time.Duration) <-chan time.Time // nil: time.After
}

// callTimeout bounds each call, so that one dead host does not use up the timeout of all.
const callTimeout = 10 * time.Second

// Run does all checks, in the order in which to fix what they find.
func Run(ctx context.Context, o Options) []Finding {
	if o.After == nil {
		o.After = time.After
	}
	e := &checker{Options: o, http: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	e.settings()
	e.temporal(ctx)
	e.atDidit(ctx)
	e.atWebhook(ctx)
	e.api(ctx)
	e.callback(ctx)
	e.running(ctx)
	return e.findings
}

// Failures counts the failed checks.
func Failures(all []Finding) (n int) {
	for _, f := range all {
		if f.Status == Failed {
			n++
		}
	}
	return n
}

// checker is one run.
type checker struct {
	Options
	http     http.RoundTripper // follows no redirect
	findings []Finding

	// The settings; a field whose setting is wrong is zero.
	worker  config.Worker
	hook    config.Webhook
	starter config.Starter

	namespaceHere string             // empty: Temporal was not reached
	published     []config.Published // by processes that run
}

func (e *checker) wants(process string) bool { return e.Process == "" || e.Process == process }

func (e *checker) ok(check, found string) { e.add(Finding{Check: check, Status: OK, Found: found}) }

func (e *checker) warn(check, found, fix string) {
	e.add(Finding{Check: check, Status: Warning, Found: found, Fix: fix})
}

func (e *checker) fail(check, found, fix string) {
	e.add(Finding{Check: check, Status: Failed, Found: found, Fix: fix})
}

// skip notes every check that cannot be done for the same reason.
func (e *checker) skip(why string, checks ...string) {
	for _, check := range checks {
		e.add(Finding{Check: check, Status: Skipped, Found: why})
	}
}

func (e *checker) add(f Finding) { e.findings = append(e.findings, f) }
