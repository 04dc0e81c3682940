package api

import (
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

// Keys of the values kept with a request.
const (
	keyRequest = "request_id"
	keyCaller  = "caller"
	keyUser    = "user_id" // only after validation
)

const headerRequestID = "X-Request-Id"

// saneID accepts the usual forms of request ids, and nothing that could forge a log line or a header, or be an e-mail
// address.
var saneID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// identify gives each request an id: the caller's own, so that both logs share it, or a new one.
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
func newID() string { return uuid.Must(uuid.NewV7()).String() } // there is always randomness: crypto/rand ends the process where there is none

// closedByClient is nginx's status for a client that did not wait for the answer.
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
	if who := by(c); who != nil {
		attrs = append(attrs, slog.String(keyCaller, who.Name))
	}
	if user := c.GetString(keyUser); user != "" {
		attrs = append(attrs, slog.String(keyUser, user))
	}
	if len(c.Errors) > 0 {
		attrs = append(attrs, slog.String("error", c.Errors[0].Error()))
	}
	a.o.Log.LogAttrs(c.Request.Context(), level(code, route), "api request", attrs...)
}

// method keeps methods that a stranger invents out of the log.
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
			a.problem(c, internal, details{})
		}
	}()
	c.Next()
}
