package diditsim_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func newRequest(method, path, key string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	if key != "" {
		r.Header.Set("x-api-key", key)
	}
	return r
}

func answerOf(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestKeys(t *testing.T) {
	b := start(t, diditsim.Options{})
	id := b.create(t, "u1").ID
	unknown := uuid.NewString()
	for name, tc := range map[string]struct {
		method, path, key string
		want              int
	}{
		"create without a key":                    {"POST", "/v3/session/", "", 403},
		"create with a wrong key":                 {"POST", "/v3/session/", "wrong", 401},
		"list without a key":                      {"GET", "/v3/sessions/", "", 403},
		"list with a wrong key":                   {"GET", "/v3/sessions/", "wrong", 401},
		"a known decision without a key":          {"GET", "/v3/session/" + id + "/decision/", "", 403},
		"a known decision with a wrong key":       {"GET", "/v3/session/" + id + "/decision/", "wrong", 401},
		"an unknown decision without a key":       {"GET", "/v3/session/" + unknown + "/decision/", "", 404},
		"an unknown decision with the key":        {"GET", "/v3/session/" + unknown + "/decision/", apiKey, 404},
		"an update of the unknown without a key":  {"PATCH", "/v3/session/" + unknown + "/update-status/", "", 403},
		"an update of the unknown":                {"PATCH", "/v3/session/" + unknown + "/update-status/", apiKey, 404},
		"a deletion of the unknown, a wrong key":  {"DELETE", "/v3/session/" + unknown + "/delete/", "wrong", 401},
		"a deletion of the unknown":               {"DELETE", "/v3/session/" + unknown + "/delete/", apiKey, 404},
		"a session id that is no UUID is unknown": {"GET", "/v3/session/nobody/decision/", apiKey, 404},
	} {
		t.Run(name, func(t *testing.T) {
			code, header, body := b.call(t, tc.method, tc.path, tc.key, "{}")
			assert.Equal(t, tc.want, code)
			assert.Equal(t, "application/json", header.Get("Content-Type"))
			assert.Regexp(t, `^\{"detail":"[^"]+"\}$`, body)
		})
	}
	t.Run("a server without a key takes any", func(t *testing.T) {
		open := diditsim.New(diditsim.Options{})
		defer open.Close()
		req := newRequest("GET", "/v3/sessions/", "whatever")
		assert.Equal(t, 200, answerOf(open, req))
		assert.Equal(t, 403, answerOf(open, newRequest("GET", "/v3/sessions/", "")))
	})
}

func TestHealthNeedsNoKey(t *testing.T) {
	b := start(t, diditsim.Options{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }})
	code, _, body := b.call(t, "GET", "/system/healthcheck", "", "")
	assert.Equal(t, 200, code)
	assert.JSONEq(t, `{"status":"ok","timestamp":"2026-11-23T12:00:00Z"}`, body)
}

func TestPathsWithoutTheirSlashAreRedirected(t *testing.T) {
	b := start(t, diditsim.Options{})
	for _, tc := range [][3]string{
		{"POST", "/v3/session", "/v3/session/"},
		{"GET", "/v3/sessions?limit=1", "/v3/sessions/?limit=1"},
		{"GET", "/v3/session/x/decision", "/v3/session/x/decision/"},
		{"PATCH", "/v3/session/x/update-status", "/v3/session/x/update-status/"},
		{"DELETE", "/v3/session/x/delete", "/v3/session/x/delete/"},
	} {
		code, header, _ := b.call(t, tc[0], tc[1], apiKey, "{}")
		assert.Equal(t, http.StatusMovedPermanently, code, tc[1])
		assert.Equal(t, tc[2], header.Get("Location"))
	}
	code, _, _ := b.call(t, "GET", "/v3/elsewhere", apiKey, "")
	assert.Equal(t, 404, code)
	code, _, _ = b.call(t, "PUT", "/v3/session/", apiKey, "")
	assert.Equal(t, 405, code)
	assert.Equal(t, 1, b.CallCount(diditsim.EndpointCreate, http.StatusMovedPermanently))
	assert.Equal(t, 2, b.CallCount(diditsim.EndpointNone))
}

func TestFaults(t *testing.T) {
	b := start(t, diditsim.Options{})
	b.FailNext("POST", "/v3/session/", diditsim.Fault{
		Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: `{"detail":"Approved to Declined."}`, Times: 2,
	})
	b.FailNext("", "/v3/", diditsim.Fault{})
	create := func() error {
		_, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow})
		return err
	}
	_, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{})
	assert.Equal(t, didit.APIError{Op: "list sessions", StatusCode: 500}, *refusal(t, err), "the first fault is for POST only")
	for range 2 {
		e := refusal(t, create())
		assert.Equal(t, 429, e.StatusCode)
		assert.Equal(t, "Approved to Declined", e.Detail)
		assert.Equal(t, 7*time.Second, e.RetryAfter)
	}
	assert.Empty(t, b.Sessions(), "a fault does nothing")
	require.NoError(t, create())
	assert.Equal(t, map[diditsim.Call]int{
		{Endpoint: diditsim.EndpointCreate, Code: 429}: 2, {Endpoint: diditsim.EndpointCreate, Code: 201}: 1,
		{Endpoint: diditsim.EndpointList, Code: 500}: 1,
	}, b.Calls())
	assert.Equal(t, 3, b.CallCount(diditsim.EndpointCreate))
	assert.Equal(t, 1, b.CallCount(diditsim.EndpointCreate, 200, 201))
}
