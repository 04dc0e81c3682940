// Package config turns the environment into structs, once, at the edge of each process.
//
// Nothing below the mains reads an environment variable, so a setting has one place where it is parsed, one
// where it is documented (Variables) and one error that names it. All mistakes are reported together, so that an
// operator who deploys a new process needs one restart, not one per mistake.
package config

import (
	"errors"
	"net/netip"
	"time"

	"didit-temporal/kyc/codec"
)

// Getenv returns a variable; unset and empty mean the same. In production it is os.Getenv.
type Getenv func(string) string

// Environment is the side of Didit that a deployment belongs to; events of the other one change nothing.
type Environment string

// The two environments Didit knows, as it writes them in sessions and events.
const (
	Live    Environment = "live"
	Sandbox Environment = "sandbox"
)

// Worker is what the worker process needs. Only this process holds the API key: the one that faces the
// internet must not be able to spend money or to read a person's documents.
type Worker struct {
	DiditAPIKey     Secret
	DiditWorkflowID string
	DiditBaseURL    string // without a slash at the end
	Environment     Environment
	Deployment      string // whose sessions are ours; empty is Temporal's namespace

	// Didit's own limits. The rates of the task queues are derived from them, not equal to them.
	WritesPerMinute int
	ReadsPerMinute  int
	QueuePartitions int // of the task queues for Didit, at the server

	SessionDeadline time.Duration
	ReconcileAfter  time.Duration
	SessionCap      int // sessions per user in 30 days

	// ResultURL is where results go; empty for nowhere. It may hold a password, hence a Secret.
	ResultURL     Secret
	ResultSecrets []Secret   // each result is signed with all of them
	PayloadKeys   codec.Keys // none: Temporal stores plain text

	Versioning Versioning

	Telemetry Telemetry
}

// Shares divides Didit's limits between the queues for writes and reads, in calls a minute. Each create lists the user's
// sessions first, which counts as a read: so the queue for writes takes at most half of the reads, and the other queue gets
// what is left.
func (w Worker) Shares() (writes, reads int) {
	writes = min(w.WritesPerMinute, max(minPerMinute, w.ReadsPerMinute/2))
	return writes, max(minPerMinute, w.ReadsPerMinute-writes)
}

// Webhook is what the webhook process needs. PAYLOAD_KEYS is not in it: its signals hold no secrets, so it sends them as they are
// and could not read the URL of a session if it were taken over.
type Webhook struct {
	// Secrets are all accepted, so that a secret can be replaced without losing an event.
	Secrets     []Secret
	Tolerance   time.Duration
	Environment Environment
	Deployment  string // as the worker's
	MaxBody     int64  // bytes
	Addr        string
	// AllowFrom lists the only senders that are accepted; empty accepts all. Behind a proxy the sender is the address that the
	// proxy reports, which only TrustedProxies may do.
	AllowFrom      []netip.Prefix
	TrustedProxies []netip.Prefix
	ShutdownDelay  time.Duration // not ready for so long before the listener closes

	Telemetry Telemetry
}

// ForWorker reads the worker's settings. On an error the fields that are wrong are zero: a process must not run with it.
func ForWorker(getenv Getenv) (Worker, error) {
	e := &env{get: getenv}
	w := Worker{
		DiditAPIKey:     e.secret("DIDIT_API_KEY", "Didit console > API & webhooks"),
		DiditWorkflowID: e.uuid("DIDIT_WORKFLOW_ID", "Didit console > Workflows"),
		DiditBaseURL:    e.baseURL("DIDIT_BASE_URL"),
		Environment:     e.environment(),
		Deployment:      e.deployment(),
		WritesPerMinute: e.integer("DIDIT_WRITES_PER_MINUTE", minPerMinute, maxPerMinute),
		ReadsPerMinute:  e.integer("DIDIT_READS_PER_MINUTE", minPerMinute, maxPerMinute),
		QueuePartitions: e.integer("DIDIT_QUEUE_PARTITIONS", 1, maxPartitions),
		SessionDeadline: e.duration("SESSION_DEADLINE", time.Second, maxDeadline),
		ReconcileAfter:  e.duration("RECONCILE_AFTER", time.Second, 24*time.Hour),
		SessionCap:      e.integer("SESSION_CAP", 1, 100),
		Versioning:      e.versioning(),
		Telemetry:       e.traced(metricsOfWorker),
	}
	w.ResultURL, w.ResultSecrets = e.results()
	w.PayloadKeys = e.payloadKeys(w.Environment)
	if w.Environment == Live {
		if w.DiditAPIKey.simulated() {
			e.fail("DIDIT_API_KEY", "has the simulator's public key: want the application's own from Didit's console, or DIDIT_ENVIRONMENT=%s", Sandbox)
		}
		e.refuseNotDidit("DIDIT_BASE_URL", w.DiditBaseURL)
	}
	return w, errors.Join(e.errs...)
}

// ForWebhook reads the webhook's settings. On an error the fields that are wrong are zero: a process must not run with it.
func ForWebhook(getenv Getenv) (Webhook, error) {
	e := &env{get: getenv}
	w := Webhook{
		Secrets:     e.secrets("DIDIT_WEBHOOK_SECRETS", "Didit console > API & webhooks; several are separated by commas"),
		Tolerance:   e.duration("DIDIT_WEBHOOK_TOLERANCE", time.Second, time.Hour),
		Environment: e.environment(),
		Deployment:  e.deployment(),
		MaxBody:     e.bytes("WEBHOOK_MAX_BODY", 1<<10, 16<<20),
		Addr:        e.address("WEBHOOK_ADDR"),

		AllowFrom:      e.networks("WEBHOOK_ALLOW_FROM"),
		TrustedProxies: e.networks("WEBHOOK_TRUSTED_PROXIES"),
		ShutdownDelay:  e.duration("SHUTDOWN_DELAY", 0, maxShutdownDelay),

		Telemetry: e.traced(metricsOfWebhook),
	}
	if len(w.TrustedProxies) > 0 && len(w.AllowFrom) == 0 {
		e.fail("WEBHOOK_TRUSTED_PROXIES", "is set without WEBHOOK_ALLOW_FROM: it serves nothing else, so set both or none")
	}
	if w.Environment == Live {
		e.refuseSimulated("DIDIT_WEBHOOK_SECRETS", "secret", w.Secrets)
	}
	return w, errors.Join(e.errs...)
}

const (
	// A limit of four or less leaves nothing for a queue of four partitions.
	minPerMinute = 5
	maxPerMinute = 100_000
	// Each partition may send one call over the rate, and the safe rate was measured with up to four.
	maxPartitions = 4
	// A deadline of years is a typing mistake, and a timer that long looks like a leak.
	maxDeadline = 366 * 24 * time.Hour
	// Longer than any load balancer needs to notice; platforms kill what has not stopped after half a minute.
	maxShutdownDelay = time.Minute
)
