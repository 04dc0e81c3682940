package metrics

import (
	"net/http"
	"strings"
	"time"

	"didit-temporal/internal/httpstatus"
)

// Transport counts and times the calls that go through next.
func (m *Metrics) Transport(next http.RoundTripper) http.RoundTripper { return transport{m, next} }

type transport struct {
	m    *Metrics
	next http.RoundTripper
}

// noAnswer is the code of a call without an answer.
const noAnswer = "none"

// RoundTrip makes the call. Its time ends with the header of the answer.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	scope, operation := Scope(req.Method), Operation(req.Method, req.URL.Path)
	began := time.Now()
	res, err := t.next.RoundTrip(req)
	t.m.callTimes.WithLabelValues(scope, operation).Observe(time.Since(began).Seconds())
	status := noAnswer
	if err == nil {
		status = code(res.StatusCode)
	}
	t.m.calls.WithLabelValues(scope, operation, status).Inc()
	return res, err
}

// Scope is the limit of Didit that a call counts against.
func Scope(method string) string {
	if method == http.MethodGet || method == http.MethodHead {
		return "read"
	}
	return "write"
}

// words are the parts of Didit's paths that are not ids.
var words = map[string]bool{
	"session": true, "sessions": true, "decision": true, "update-status": true, "delete": true, "reviews": true, "users": true,
	"webhook": true, "destinations": true, "workflows": true, "billing": true, "balance": true, "status": true,
}

// Operation names a call by its method and path, without ids and without what precedes the version: GET session/*/decision.
// It has few values whatever the path.
func Operation(method, path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		if len(p) == 2 && p[0] == 'v' {
			parts = parts[i+1:]
			break
		}
	}
	if len(parts) > 4 {
		return method + " other"
	}
	for i, p := range parts {
		if !words[p] {
			parts[i] = "*"
		}
	}
	return method + " " + strings.Join(parts, "/")
}

// Requests counts and times the requests of the HTTP API. route names one without its ids; an empty route is not counted.
func (m *Metrics) Requests(next http.Handler, route func(*http.Request) string) http.Handler {
	m.registry.MustRegister(m.requests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := route(r)
		if name == "" {
			next.ServeHTTP(w, r)
			return
		}
		began, status := time.Now(), httpstatus.Of(w)
		next.ServeHTTP(status, r)
		m.requests.WithLabelValues(method(r.Method), name, code(status.Status)).Observe(time.Since(began).Seconds())
	})
}

// method bounds the values of the label: a stranger may send any method.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		return m
	}
	return "other"
}
