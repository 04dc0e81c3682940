package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

// What the parts of a request tell each other.
const (
	keyRequest = "request_id"
	keyCaller  = "caller"
	keyUser    = "user_id" // only once it has proved to be one
)

const headerRequestID = "X-Request-Id"

// saneID lets through what others use as request ids, and nothing that could forge a log line or a header, or be
// somebody's e-mail address.
var saneID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// identify gives each request an id: the caller's own, so that both logs tell one story, or a new one.
func (a *API) identify(c *gin.Context) {
	id := c.GetHeader(headerRequestID)
	if !saneID.MatchString(id) {
		id = newID()
	}
	c.Set(keyRequest, id)
	c.Header(headerRequestID, id)
	c.Header("X-Content-Type-Options", "nosniff")
	c.Next()
}

// newID is a UUIDv7, which sorts by time.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // no randomness: then an id is the least of the troubles
		return uuid.Nil.String()
	}
	return id.String()
}

// closedByClient is what access logs write for a client that did not wait for the answer.
const closedByClient = 499

// logAccess writes one line per request: the route and not the path, no header and no query.
func (a *API) logAccess(c *gin.Context) {
	began := time.Now()
	c.Next()
	code := c.Writer.Status()
	if c.Request.Context().Err() != nil {
		code = closedByClient
	}
	route := c.FullPath()
	attrs := []slog.Attr{
		slog.String("method", method(c.Request.Method)), slog.String("route", route), slog.Int("status", code),
		slog.Duration("duration", time.Since(began)), slog.String(keyRequest, c.GetString(keyRequest)),
	}
	for _, key := range []string{keyCaller, keyUser} {
		if v := c.GetString(key); v != "" {
			attrs = append(attrs, slog.String(key, v))
		}
	}
	if len(c.Errors) > 0 {
		attrs = append(attrs, slog.String("error", c.Errors[0].Error()))
	}
	a.o.Log.LogAttrs(c.Request.Context(), level(code, route), "api request", attrs...)
}

// method keeps what a stranger calls a method out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

func level(code int, route string) slog.Level {
	switch {
	case code >= http.StatusInternalServerError:
		return slog.LevelError
	case route == "/healthz" || route == "/readyz":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// recoverPanic replaces gin's recovery, which logs the request's headers. The value of the panic is left out as well:
// it may quote the body.
func (a *API) recoverPanic(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			a.o.Log.Error("panic in a handler", "route", c.FullPath(), keyRequest, c.GetString(keyRequest), "stack", string(debug.Stack()))
			a.problem(c, internal, trouble{})
		}
	}()
	c.Next()
}

// caller is a Caller whose token is only known by its hash: hashes have one length, so that comparing them takes
// the same time whatever a stranger sends.
type caller struct {
	name string
	hash [sha256.Size]byte
}

func hashed(callers []Caller) []caller {
	all := make([]caller, len(callers))
	for i, c := range callers {
		all[i] = caller{name: c.Name, hash: sha256.Sum256([]byte(c.Token))}
	}
	return all
}

// authenticate finds out who calls.
func (a *API) authenticate(c *gin.Context) {
	header := c.Request.Header.Values("Authorization")
	if len(header) == 0 {
		c.Header("WWW-Authenticate", `Bearer realm="verifications"`)
		a.problem(c, unauthorized, trouble{detail: "the header Authorization is missing; want Authorization: Bearer TOKEN"})
		return
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	name := a.callerOf(strings.TrimSpace(token))
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || name == "" {
		c.Header("WWW-Authenticate", `Bearer realm="verifications", error="invalid_token"`)
		a.problem(c, unauthorized, trouble{detail: "the token is not one of STARTER_TOKENS; want Authorization: Bearer TOKEN, without the name before it"})
		return
	}
	c.Set(keyCaller, name)
	c.Next()
}

// callerOf looks at every token, also after it has found the right one.
func (a *API) callerOf(token string) (name string) {
	hash := sha256.Sum256([]byte(token))
	for _, known := range a.callers {
		if subtle.ConstantTimeCompare(hash[:], known.hash[:]) == 1 {
			name = known.name
		}
	}
	return name
}
