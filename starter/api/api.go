// Package api is the HTTP side of the starter: a signup service starts verifications with it and asks how they stand.
// It keeps nothing: what it says is Temporal's word, so that any number of processes may serve it side by side.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// Path is where verifications are; that of one has its user's id behind it.
const Path = "/v1/verifications"

// Verifications starts verifications and finds them; kyc.Client is one.
type Verifications interface {
	Start(ctx context.Context, in kyc.Input) (kyc.Started, error)
	Find(ctx context.Context, userID string) (kyc.Found, error)
	Wait(ctx context.Context, userID string) (kyc.State, error)
}

// Turns knows the queue for Didit; kyc.Client is one.
type Turns interface {
	Turn(ctx context.Context, p kyc.Priority) (kyc.Turn, error)
}

// Caller is somebody who may use the API. Several with one name are several tokens of one caller.
type Caller struct{ Name, Token string }

// Options configures New. Verifications, Callers and Log are required.
type Options struct {
	Verifications Verifications
	Callers       []Caller
	Log           *slog.Logger
	Turns         Turns                       // nil: nobody can tell how long it takes
	Ready         func(context.Context) error // nil: always ready
	Patience      time.Duration               // how long a caller waits for the session or the state; default 8 s
	MaxPolls      int                         // how many requests may wait for a verdict at once; default 1000
	ReturnSchemes []string                    // of links of apps that may be return URLs, beside http and https
}

const (
	patience   = 8 * time.Second // shorter than most clients', proxies' and load balancers' own
	maxWait    = time.Minute     // of a long poll
	maxPolls   = 1000            // each is one of the 1200 histories that a Temporal frontend lets wait (frontend.namespaceCount)
	maxBody    = 16 << 10        // five times the longest input
	readyLimit = 2 * time.Second
)

// API is the HTTP side.
type API struct {
	o        Options
	callers  []caller
	polls    chan struct{} // holds one for each that waits
	draining chan struct{}
	drain    func()
}

// New makes an API.
func New(o Options) *API {
	o.Patience, o.MaxPolls = cmp.Or(o.Patience, patience), cmp.Or(o.MaxPolls, maxPolls)
	a := &API{o: o, callers: hashed(o.Callers), polls: make(chan struct{}, o.MaxPolls), draining: make(chan struct{})}
	a.drain = sync.OnceFunc(func() { close(a.draining) })
	return a
}

// Drain answers the long polls that wait, and later ones at once: the process is about to stop.
func (a *API) Drain() { a.drain() }

// Handler serves the routes that /openapi.json describes.
func (a *API) Handler() http.Handler { return a.engine() }

func (a *API) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	_ = e.SetTrustedProxies(nil) // cannot fail for nil; nobody may tell us who the client is
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // a redirect is no problem document
	e.Use(a.identify, a.logAccess, a.recoverPanic)
	e.NoRoute(func(c *gin.Context) { a.problem(c, noRoute, trouble{}) })
	e.NoMethod(func(c *gin.Context) { a.problem(c, noMethod, trouble{}) })

	v1 := e.Group(Path, a.authenticate)
	v1.POST("", a.start)
	v1.GET("/:user_id", a.find)
	e.GET("/openapi.json", serveDescription)
	e.GET(problems+":name", serveProblem)
	for _, method := range []string{http.MethodGet, http.MethodHead} { // load balancers ask either way
		e.Handle(method, "/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
		e.Handle(method, "/readyz", a.readyz)
	}
	return e
}

func (a *API) readyz(c *gin.Context) {
	if err := a.reachable(c.Request.Context()); err != nil {
		a.problem(c, temporalUnavailable, trouble{cause: err, errorType: ErrorTypeTemporal})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}

// reachable asks Temporal whether it is there.
func (a *API) reachable(ctx context.Context) error {
	if a.o.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	return a.o.Ready(ctx)
}

// Verification is the answer to a start and to a look: one flat object.
type Verification struct {
	kyc.State
	RunID string `json:"run_id"`
	// URL is what the person must open, while there is one to open.
	URL string `json:"url,omitempty"`
	// SessionToken is the same for Didit's mobile SDKs, which take no URL.
	SessionToken string `json:"session_token,omitempty"`
	// ETASeconds comes with 202: about how long until there is a session.
	ETASeconds int64 `json:"eta_seconds,omitempty"`
}

// answer writes a verification. Lists are never null.
func answer(c *gin.Context, code int, v Verification) {
	if v.Checks == nil {
		v.Checks = []kyc.Check{}
	}
	if v.Warnings == nil {
		v.Warnings = []string{}
	}
	c.Header("Cache-Control", "no-store") // the URL is a secret
	c.PureJSON(code, v)
}

// extend moves the time by which the answer must be written: the server's is for requests that wait for nothing.
func extend(c *gin.Context, d time.Duration) {
	const slack = 10 * time.Second
	// It fails only where there is no connection, as in tests.
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(d + slack))
}
