// Package api is the HTTP side of the starter: signup services start verifications and read their states, and operators act on
// them. It is stateless: every answer comes from Temporal, so any number of replicas may serve it.
package api

import (
	"cmp"
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// Path is the collection of verifications; one verification is Path + "/" + its user's id.
const Path = "/v1/verifications"

// Verifications starts verifications and finds them; kyc.Client is one.
type Verifications interface {
	Start(ctx context.Context, in kyc.Input) (kyc.Started, error)
	Find(ctx context.Context, userID string) (kyc.Found, error)
	FindEnded(ctx context.Context, userID, runID string) (kyc.Found, error)
}

// Operators acts on verifications; ops.Client is one.
type Operators interface {
	Cancel(ctx context.Context, userID string, r ops.Request) (kyc.State, error)
	Refresh(ctx context.Context, userID string, r ops.Request) (kyc.State, error)
	Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error)
}

// Records lists what Temporal keeps; ops.Client is one.
type Records interface {
	List(ctx context.Context, f kyc.Filter) (kyc.Page, error)
	Timeline(ctx context.Context, userID string) ([]ops.Step, error)
}

// Estimator estimates the wait for Didit's rate limit; ops.Client is one.
type Estimator interface {
	QueuePosition(ctx context.Context, p kyc.Priority) (ops.QueuePosition, error)
}

// Options configures New. Verifications, Operators, Records, Callers and Log are required.
type Options struct {
	Verifications Verifications
	Operators     Operators
	Records       Records
	Callers       []Caller
	Log           *slog.Logger
	Estimator     Estimator                   // nil: no estimate of the wait
	Ready         func(context.Context) error // nil: always ready; strangers may call it at any rate, by /readyz
	Timeout       time.Duration               // how long a caller waits for the session or the state; default 8 s
	MaxPolls      int                         // how many requests may wait for a verdict at once; default 5000
	ReturnSchemes []string                    // of links of apps that may be return URLs, beside http and https
}

const (
	defaultTimeout = 8 * time.Second  // shorter than most clients', proxies' and load balancers' own
	maxWait        = 45 * time.Second // of a long poll: proxies hang up at 50 and 60 s
	maxPolls       = 5000             // about 30 kB each
	maxBody        = 16 << 10         // five times the longest input
)

// API is the HTTP side.
type API struct {
	o        Options
	callers  []*caller
	polls    chan struct{} // holds one for each request that waits
	watch    *watcher
	draining context.Context // done when the process stops
	drain    context.CancelFunc
}

// New makes an API.
func New(o Options) *API {
	o.Timeout, o.MaxPolls = cmp.Or(o.Timeout, defaultTimeout), cmp.Or(o.MaxPolls, maxPolls)
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	a := &API{o: o, callers: hashed(o.Callers, o.MaxPolls), polls: make(chan struct{}, o.MaxPolls)}
	a.draining, a.drain = context.WithCancel(context.Background())
	a.watch = newWatcher(a.draining, o.Records, a.noteQueue, a.heldUsers)
	return a
}

// Drain answers the long polls that wait, and later ones at once. Call it when the process stops.
func (a *API) Drain() { a.drain() }

// Handler serves the routes that /openapi.json describes.
func (a *API) Handler() http.Handler { return a.engine() }

// route is one that needs a token with a scope.
type route struct {
	method, path string
	scope        Scope
	handle       func(*API, *gin.Context)
}

// routes are those below Path.
var routes = []route{
	{http.MethodPost, "", ScopeStart, (*API).start},
	{http.MethodGet, "", ScopeRead, (*API).list},
	{http.MethodGet, "/:user_id", ScopeRead, (*API).find},
	{http.MethodGet, "/:user_id/history", ScopeRead, (*API).history},
	{http.MethodPost, "/:user_id/cancel", ScopeDecide, (*API).cancel},
	{http.MethodPost, "/:user_id/refresh", ScopeDecide, (*API).refresh},
	{http.MethodPost, "/:user_id/decision", ScopeDecide, (*API).decide},
	{http.MethodDelete, "/:user_id", ScopeErase, (*API).erase},
}

// Actions are the last path segments of the routes below a user.
func Actions() (actions []string) {
	for _, r := range routes {
		if action, ok := strings.CutPrefix(r.path, "/:user_id/"); ok {
			actions = append(actions, action)
		}
	}
	return actions
}

// description is OpenAPI 3.1, written by hand; a test keeps it equal to the routes and types.
//
//go:embed openapi.json
var description []byte

func (a *API) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	_ = e.SetTrustedProxies(nil) // cannot fail for nil; no header may name the client
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // a redirect is no problem document
	e.Use(a.identify, a.logAccess, a.recoverPanic)
	e.NoRoute(func(c *gin.Context) { a.problem(c, noRoute, details{}) })
	e.NoMethod(func(c *gin.Context) { a.problem(c, noMethod, details{}) })

	v1 := e.Group(Path, a.authenticate)
	for _, r := range routes {
		v1.Handle(r.method, r.path, func(c *gin.Context) {
			if a.allow(c, r.scope) {
				r.handle(a, c)
			}
		})
	}
	e.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", description) })
	e.GET(problems+":name", serveProblem)
	for _, method := range []string{http.MethodGet, http.MethodHead} { // load balancers use both methods
		e.Handle(method, "/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
		e.Handle(method, "/readyz", a.readyz)
	}
	return e
}

func (a *API) readyz(c *gin.Context) {
	if err := a.o.Ready(c.Request.Context()); err != nil {
		a.problem(c, temporalUnavailable, details{cause: err, errorType: ErrorTypeTemporal})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}

// Verification is the answer to every route about one verification: one flat object.
type Verification struct {
	kyc.State
	RunID string `json:"run_id,omitempty"`
	// URL is the page that the person must open, SessionToken the input of a mobile SDK, while the person may act.
	URL          string `json:"url,omitempty"`
	SessionToken string `json:"session_token,omitempty"`
	// ETASeconds comes with 202: the estimated time until there is a session.
	ETASeconds int64 `json:"eta_seconds,omitempty"`
}

// shown is the state of a verification, with the secrets of its session only while the person may act.
func shown(state kyc.State, session kyc.Session, runID string) Verification {
	v := Verification{State: state, RunID: runID}
	if session.URL != "" && state.PersonMustAct() {
		v.URL, v.SessionToken = session.URL, session.SessionToken
	}
	return v
}

// answer writes a verification. Lists are never null.
func answer(c *gin.Context, code int, v Verification) {
	if v.Checks == nil {
		v.Checks = []kyc.Check{}
	}
	if v.Warnings == nil {
		v.Warnings = []string{}
	}
	write(c, code, v)
}

// write writes an answer that no cache may keep.
func write(c *gin.Context, code int, v any) {
	c.Header("Cache-Control", "no-store")
	c.PureJSON(code, v)
}

// extend moves the write deadline: the server's is for requests that do not wait.
func extend(c *gin.Context, d time.Duration) {
	const slack = 10 * time.Second
	// It fails only where there is no connection, as in tests.
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(d + slack))
}
