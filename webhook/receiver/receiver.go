// Package receiver turns Didit's webhooks into signals. It answers 2xx only after Temporal has stored the event and keeps
// nothing in memory: whatever a crash loses, Didit sends again.
package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Path is where Didit posts.
const Path = "/webhooks/didit"

// budget bounds all calls to Temporal of one webhook: Didit hangs up after 5 s
// (docs.didit.me/integration/webhooks), and a 503 in time makes it send again.
const budget = 3500 * time.Millisecond

// Deliverer delivers an event to the verification of a user; kyc.Client is one.
type Deliverer interface {
	Deliver(ctx context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error)
}

// Options configures New. All from Ready on may be left out.
type Options struct {
	Verifier    *didit.Verifier
	Deliverer   Deliverer
	Environment didit.Environment // events of the other one are ignored
	Deployment  string            // whose sessions are ours: KYC_DEPLOYMENT
	MaxBody     int64             // bytes
	Log         *slog.Logger
	Ready       func(context.Context) error // nil: always ready
	// AllowFrom lists the accepted senders; empty: all, since the signature decides. Behind proxies the
	// sender is the last one in X-Forwarded-For that is not in TrustedProxies; without them it is the peer.
	AllowFrom, TrustedProxies []netip.Prefix
	Observe                   func(context.Context, Observation) // nil: not called
	Misrouted                 func(Stray)                        // called for what was sent beside the routes; nil: not called
}

// Observation is one delivery that was answered.
type Observation struct {
	Result  Result
	Code    int
	EventID string // empty unless the signature was good
	Took    time.Duration
	// Verified means that Didit signed it. The speed of unauthenticated senders says nothing about how fast Didit is answered.
	Verified bool
}

// Receiver is the HTTP side of the webhook.
type Receiver struct {
	o      Options
	counts counts
	bodies *bodies
}

// New makes a Receiver.
func New(o Options) *Receiver {
	if o.Observe == nil {
		o.Observe = func(context.Context, Observation) {}
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	if o.Misrouted == nil {
		o.Misrouted = func(Stray) {}
	}
	return &Receiver{o: o, counts: newCounts(), bodies: newBodies(o.MaxBody)}
}

// Handler serves Path, /healthz (liveness) and /readyz (readiness: Temporal answers).
func (r *Receiver) Handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	_ = e.SetTrustedProxies(nil) // cannot fail for nil; sender reads the header itself
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // Didit follows no redirect
	e.Use(r.recoverPanic)
	e.NoRoute(func(c *gin.Context) { r.stray(c, StrayPath) })
	e.NoMethod(func(c *gin.Context) { r.stray(c, StrayMethod) })
	e.POST(Path, r.receive)
	e.POST(Path+"/", r.receive)
	for _, method := range []string{http.MethodGet, http.MethodHead} { // load balancers use both methods
		e.Handle(method, "/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
		e.Handle(method, "/readyz", r.readyz)
	}
	return e
}

// receive answers one delivery: one result, one log line, one status.
func (r *Receiver) receive(c *gin.Context) {
	ctx, began := c.Request.Context(), time.Now() // a bare *gin.Context has no Done
	ev, result, err := r.take(ctx, c)
	r.counts[result].Add(1)
	defer func() {
		o := Observation{Result: result, Code: result.Code(), Took: time.Since(began), Verified: result.verified()}
		if o.Verified {
			o.EventID = ev.EventID
		}
		r.o.Observe(ctx, o)
	}()
	attrs := []slog.Attr{slog.String("result", string(result)), slog.Int("code", result.Code())}
	if result.verified() {
		attrs = append(attrs, slog.String("event_id", ev.EventID), slog.String("type", ev.Type),
			slog.String("session_id", ev.SessionID), slog.String("status", string(ev.Status)))
		if ev.run != "" {
			attrs = append(attrs, slog.String("workflow_id", ev.workflow), slog.String("run_id", ev.run))
		}
	}
	if result == NotAllowed {
		attrs = append(attrs, slog.String("sender", r.sender(c.Request)))
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	r.o.Log.LogAttrs(ctx, meanings[result].level, "didit webhook", attrs...)
	answer(c, result)
}

// answer sets Content-Length, so that the answer is complete before the connection ends.
func answer(c *gin.Context, result Result) {
	if result == Busy {
		c.Header("Retry-After", "1")
	}
	c.Header("Content-Length", strconv.Itoa(len(answers[result])))
	c.Data(result.Code(), "application/json; charset=utf-8", answers[result])
}

// event is a delivered event with the run that created its session. The run is empty unless the session's metadata names it,
// because the user id of another system's session may be anything.
type event struct {
	kyc.DiditEvent
	workflow, run string
}

// take verifies a webhook and delivers its event.
func (r *Receiver) take(ctx context.Context, c *gin.Context) (event, Result, error) {
	if !r.allows(c.Request) {
		return event{}, NotAllowed, nil
	}
	if err := r.o.Verifier.CheckHeader(c.Request.Header); err != nil {
		return event{}, refusal(err), err
	}
	signed, err := r.authenticated(c)
	if err != nil {
		return event{}, refusal(err), err
	}
	signed.Type = r.typeOf(ctx, signed)
	ev := kyc.FromDidit(signed)
	if why := kyc.IgnoredIn(r.o.Environment, signed); why != "" {
		return event{DiditEvent: loggable(ev)}, Result(why), nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget) // from here on: the time that the body took does not count
	defer cancel()
	from := kyc.MetadataOf(signed.Metadata).Origin(r.o.Deployment)
	delivery, err := r.o.Deliverer.Deliver(ctx, signed.VendorData, ev, from)
	taken := event{DiditEvent: ev}
	if from.RunID != "" {
		taken.workflow, taken.run = kyc.WorkflowID(signed.VendorData), from.RunID
	}
	switch {
	case err != nil:
		return taken, Unavailable, err
	case delivery == kyc.DeliveredResume:
		return taken, Late, nil
	case delivery == kyc.DeliveredNoChange:
		return taken, NoNews, nil
	case delivery == kyc.DeliveredForeign:
		return event{DiditEvent: loggable(ev)}, Foreign, nil
	}
	return taken, Received, nil
}

// typeOf returns the type of an event. Destinations of version v1 send changes of a session's status without one.
func (r *Receiver) typeOf(ctx context.Context, ev didit.Event) string {
	known := kyc.EventType(ev)
	if known != ev.Type {
		r.o.Log.WarnContext(ctx, "an event without webhook_type: set the destination to version v3 at Didit")
	}
	return known
}

func (r *Receiver) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), budget)
	defer cancel()
	if err := r.o.Ready(ctx); err != nil {
		c.JSON(http.StatusServiceUnavailable, gin.H{"status": "Temporal cannot be reached"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}

// recoverPanic replaces gin's recovery, which logs the request's headers. The value of the panic is left out as well:
// it may quote the body.
func (r *Receiver) recoverPanic(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			r.o.Log.Error("panic in a handler", "path", c.FullPath(), "stack", string(debug.Stack()))
			c.AbortWithStatusJSON(http.StatusInternalServerError, gin.H{"error": "internal error"})
		}
	}()
	c.Next()
}
