// Package diditsim simulates Didit in your process, for tests and for development: the session API, the hosted page and the
// webhooks. Users, reviewers, time and faults are scripted, and nothing is left to chance.
//
// It follows Didit's documentation (https://docs.didit.me), and its comments name the choices where that leaves one. A flow
// of Options has three steps, document, liveness and face match; one that the API creates has its own. A decision is filled
// with invented personal data, to test that its readers do not read that.
package diditsim

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"didit-temporal/didit"
)

// Options configures a Server. The zero value is a live application that accepts every key, has no webhook, and allows
// what Didit allows.
type Options struct {
	// APIKey is the one key that is accepted, beside those of registered accounts; empty accepts any, but not none.
	APIKey string
	// WorkflowIDs are the flows of the application of APIKey; empty means every UUID, for every application. The API
	// creates more. A registered account begins with none.
	WorkflowIDs []string
	// Environment goes into decisions and webhooks (https://docs.didit.me/integration/sandbox-testing). Default live.
	Environment didit.Environment
	// WebhookURL is the first destination of status.updated; empty is none. SetWebhook changes both, and the API creates more.
	WebhookURL, WebhookSecret string
	// RetryDelays are the delays after a failed delivery, one for each retry
	// (https://docs.didit.me/integration/webhooks). Nil is Didit's: 1 min, 4 min. Empty never retries.
	RetryDelays []time.Duration
	// WebhookTimeout bounds the wait for the answer to a delivery. Default 5 s, as Didit.
	WebhookTimeout time.Duration
	// PublicURL is the base of the links to the hosted page; empty takes the host of the request.
	PublicURL string
	// Webhooks plans the deliveries of each webhook. Nil delivers each once, at once. SetWebhookScript changes it.
	Webhooks WebhookScript
	// KeepDeliveries is how many of the newest attempts Deliveries returns; 0 means all, which grows without bound.
	KeepDeliveries int
	// Limits are those of each key. The zero value is what Didit documents.
	Limits Limits
	// Now is the clock of everything but the delays. Default time.Now. SetClockOffset makes it wrong, except for Limits.
	Now func() time.Time
	// Edit, if set, may change each body before it is sent, such as to fill every field with what must not be kept. What is
	// the pattern of the endpoint that answers, or EditWebhook; the body of a list is its page. Edit must not keep body, nor
	// call the Server.
	Edit func(what string, body map[string]any)
	// Logger gets deliveries; nil logs nothing. No token and no body is logged.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Environment = cmp.Or(o.Environment, didit.EnvironmentLive)
	o.WebhookTimeout = cmp.Or(o.WebhookTimeout, 5*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.RetryDelays == nil {
		o.RetryDelays = []time.Duration{time.Minute, 4 * time.Minute}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	o.WorkflowIDs = slices.Clone(o.WorkflowIDs)
	return o
}

// Server is a simulated Didit. Create it with New, serve it with net/http, end it with Close. It is safe for concurrent use.
type Server struct {
	opts       Options
	mux        *http.ServeMux
	dispatcher *dispatcher
	limiter    *limiter
	clockError atomic.Int64 // how far the clock is ahead

	mu       sync.Mutex
	all      []*session // in the order of creation
	byID     map[string]*session
	byToken  map[string]*session
	byVendor map[string][]*session
	number   int64          // of the newest session
	made     map[string]int // sessions ever created, by vendor_data
	calls    map[Call]int
	faults   []*plannedFault

	apps          map[string]*application // of registered accounts, by key
	users         map[userID]*entity
	accounts      map[string]*account    // by address, in lower case
	registrations map[string][]time.Time // newest ones, by sender
	balance       string
	flows         []*flow
	shares        map[string]*share // by token
}

var _ http.Handler = (*Server)(nil)

// New returns a Server without sessions.
func New(o Options) *Server {
	s := &Server{
		opts: o.withDefaults(), mux: http.NewServeMux(), made: map[string]int{}, calls: map[Call]int{},
		byID: map[string]*session{}, byToken: map[string]*session{}, byVendor: map[string][]*session{},
		apps: map[string]*application{}, users: map[userID]*entity{}, accounts: map[string]*account{},
		registrations: map[string][]time.Time{}, shares: map[string]*share{}, balance: "100.0000",
	}
	right := s.opts.Now
	s.opts.Now = func() time.Time { return right().Add(time.Duration(s.clockError.Load())) }
	s.dispatcher, s.limiter = newDispatcher(s.opts, &s.mu), newLimiter(s.opts.Limits, right)
	for _, id := range s.opts.WorkflowIDs {
		s.flows = append(s.flows, newFlow(id))
	}
	if len(s.flows) == 0 {
		s.flows = append(s.flows, newFlow(defaultFlow))
	}
	s.flows[0].standard = true
	s.handle()
	return s
}

// ServeHTTP answers one call. It checks the limits first, then the scripted faults; then it redirects a path without its
// slash, as Didit does, or calls the API or the hosted page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint, slashed := s.endpoint(r)
	rec := &recorder{ResponseWriter: w, server: s, endpoint: endpoint}
	if !s.admit(rec, r) {
		return
	}
	act := s.mux.ServeHTTP
	if slashed != "" { // a client that follows may lose its key on the way, or its POST
		act = http.RedirectHandler(slashed, http.StatusMovedPermanently).ServeHTTP
	}
	if endpoint == EndpointNotSimulated {
		act = s.keyed(answerNotSimulated)
	}
	if f, ok := s.fault(r); ok {
		s.fail(f, rec, r, act)
		return
	}
	act(rec, r)
}

// SetClockOffset makes Didit's clock wrong by d from now on: the times of new sessions, of changes of status, and of
// webhooks, with their signatures. What has its time already keeps it, retries included, and Limits go by the right time.
// 0 sets the clock right.
func (s *Server) SetClockOffset(d time.Duration) { s.clockError.Store(int64(d)) }
