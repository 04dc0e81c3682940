package didit

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	testKey     = "test-key-0123456789"
	testID      = "11111111-2222-4333-8444-555555555555"
	testFlow    = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	goodSession = `{"session_id":"` + testID + `","session_number":7,"session_token":"aB3xQ9zK7m2p",` +
		`"url":"https://verify.example/session/aB3xQ9zK7m2p","vendor_data":"user-0001","metadata":null,` +
		`"status":"Not Started","workflow_id":"` + testFlow + `","workflow_version":4,"callback":null,"new_field":{}}`
	goodDecision = `{"session_id":"` + testID + `","status":"Approved"}`
	goodPage     = `{"count":0,"next":null,"previous":null,"results":[]}`
)

// serve gives a Client whose base URL has a path on purpose, so that a lost prefix shows.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := NewClient(ClientOptions{BaseURL: srv.URL + "/prefix/", APIKey: testKey})
	require.NoError(t, err)
	return c
}

// answerWith is a handler that always says the same.
func answerWith(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// operations calls every method of a Client once.
func operations(c *Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"create session": func(ctx context.Context) error {
			_, err := c.CreateSession(ctx, CreateSessionRequest{WorkflowID: testFlow, VendorData: "user-0001"})
			return err
		},
		"decision": func(ctx context.Context) error {
			_, err := c.Decision(ctx, testID)
			return err
		},
		"list sessions": func(ctx context.Context) error {
			_, err := c.ListSessions(ctx, ListSessionsRequest{VendorData: "user-0001"})
			return err
		},
		"update status": func(ctx context.Context) error {
			return c.UpdateStatus(ctx, testID, UpdateStatusRequest{NewStatus: StatusApproved})
		},
		"delete session": func(ctx context.Context) error {
			_, err := c.DeleteSession(ctx, testID, DeleteSessionRequest{})
			return err
		},
		"delete user":    func(ctx context.Context) error { _, err := c.DeleteUser(ctx, "user-0001"); return err },
		"list reviews":   func(ctx context.Context) error { _, err := c.Reviews(ctx, testID); return err },
		"list workflows": func(ctx context.Context) error { _, err := c.Flows(ctx); return err },
		"balance":        func(ctx context.Context) error { _, err := c.Balance(ctx); return err },
		"health":         c.Health,
		"create workflow": func(ctx context.Context) error {
			_, err := c.CreateFlow(ctx, CreateFlowRequest{Features: []Feature{{"OCR"}}})
			return err
		},
		"list deliveries": func(ctx context.Context) error {
			_, err := c.ListDeliveries(ctx, testID, ListDeliveriesRequest{})
			return err
		},
		"get delivery": func(ctx context.Context) error {
			_, _, err := c.GetDelivery(ctx, testID, testFlow)
			return err
		},
		"list destinations":  func(ctx context.Context) error { _, err := c.ListDestinations(ctx); return err },
		"get destination":    func(ctx context.Context) error { _, err := c.GetDestination(ctx, testID); return err },
		"create destination": func(ctx context.Context) error { _, err := c.CreateDestination(ctx, testDestination); return err },
		"update destination": func(ctx context.Context) error {
			_, err := c.UpdateDestination(ctx, testID, UpdateDestinationRequest{Events: []string{EventStatusUpdated}})
			return err
		},
	}
}

func TestNewClientRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		options ClientOptions
		want    string
	}{
		"no key":                         {ClientOptions{}, "no API key"},
		"a key with its line break":      {ClientOptions{APIKey: "key\n"}, "line break"},
		"a base URL without a scheme":    {ClientOptions{APIKey: "k", BaseURL: "verification.didit.me"}, "absolute http"},
		"a path as base URL":             {ClientOptions{APIKey: "k", BaseURL: "/v3"}, "absolute http"},
		"another scheme":                 {ClientOptions{APIKey: "k", BaseURL: "ftp://example.com"}, "absolute http"},
		"a base URL that does not parse": {ClientOptions{APIKey: "k", BaseURL: "http://a b:c"}, "absolute http"},
		"a password in the base URL":     {ClientOptions{APIKey: "k", BaseURL: "https://u:hidden@example.com"}, "no user"},
		"a query in the base URL":        {ClientOptions{APIKey: "k", BaseURL: "https://example.com?x=1"}, "query"},
		"a negative timeout":             {ClientOptions{APIKey: "k", Timeout: -1}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewClient(tc.options)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hidden")
		})
	}
	c, err := NewClient(ClientOptions{APIKey: "k"})
	require.NoError(t, err)
	assert.Equal(t, DefaultBaseURL, c.base)
}

func TestRequestsOnTheWire(t *testing.T) {
	retain := false
	for name, tc := range map[string]struct {
		call         func(context.Context, *Client) error
		method, path string // path with its query
		body, answer string
	}{
		"create with everything": {
			func(ctx context.Context, c *Client) error {
				_, err := c.CreateSession(ctx, CreateSessionRequest{
					WorkflowID: testFlow, VendorData: "u1", Callback: "https://a.example/b", Language: "en",
					Metadata: json.RawMessage(`{"attempt": 1}`),
				})
				return err
			},
			"POST", "/prefix/v3/session/",
			`{"workflow_id":"` + testFlow + `","vendor_data":"u1","callback":"https://a.example/b","language":"en","metadata":{"attempt":1}}`,
			goodSession,
		},
		"create with the flow alone": {
			func(ctx context.Context, c *Client) error {
				_, err := c.CreateSession(ctx, CreateSessionRequest{WorkflowID: testFlow})
				return err
			},
			"POST", "/prefix/v3/session/", `{"workflow_id":"` + testFlow + `"}`, goodSession,
		},
		"decision": {
			func(ctx context.Context, c *Client) error { _, err := c.Decision(ctx, testID); return err },
			"GET", "/prefix/v3/session/" + testID + "/decision/", "", goodDecision,
		},
		"list without a filter": {
			func(ctx context.Context, c *Client) error {
				_, err := c.ListSessions(ctx, ListSessionsRequest{})
				return err
			},
			"GET", "/prefix/v3/sessions/?session_kind=all", "", goodPage,
		},
		"list with everything": {
			func(ctx context.Context, c *Client) error {
				_, err := c.ListSessions(ctx, ListSessionsRequest{VendorData: "u:1&x", Limit: 5, Offset: 10})
				return err
			},
			"GET", "/prefix/v3/sessions/?limit=5&offset=10&session_kind=all&vendor_data=u%3A1%26x", "", goodPage,
		},
		"update": {
			func(ctx context.Context, c *Client) error {
				return c.UpdateStatus(ctx, testID, UpdateStatusRequest{
					NewStatus: StatusResubmitted, Comment: "T-1", NodesToResubmit: []Node{{NodeID: "n", Feature: "OCR"}},
				})
			},
			"PATCH", "/prefix/v3/session/" + testID + "/update-status/",
			`{"new_status":"Resubmitted","comment":"T-1","nodes_to_resubmit":[{"node_id":"n","feature":"OCR"}]}`,
			`{"session_id":"` + testID + `"}`,
		},
		"delete with Didit's defaults has no body": {
			func(ctx context.Context, c *Client) error {
				_, err := c.DeleteSession(ctx, testID, DeleteSessionRequest{})
				return err
			},
			"DELETE", "/prefix/v3/session/" + testID + "/delete/", "", "{}",
		},
		"delete with instructions": {
			func(ctx context.Context, c *Client) error {
				_, err := c.DeleteSession(ctx, testID, DeleteSessionRequest{
					Instruction: DeletePrivacyErasure, RetainFaceEmbeddings: &retain, FaceRetentionDays: 30, InstructionID: "e-1",
				})
				return err
			},
			"DELETE", "/prefix/v3/session/" + testID + "/delete/",
			`{"deletion_instruction":"privacy_erasure","retain_face_embeddings":false,"face_retention_days":30,"instruction_id":"e-1"}`, "{}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				assert.Equal(t, tc.method, r.Method)
				assert.Equal(t, tc.path, r.RequestURI)
				assert.Equal(t, tc.body, string(body))
				assert.Equal(t, testKey, r.Header.Get("x-api-key"))
				assert.Equal(t, userAgent, r.Header.Get("User-Agent"))
				assert.Equal(t, "application/json", r.Header.Get("Accept"))
				if tc.body != "" {
					assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
				}
				_, _ = io.WriteString(w, tc.answer)
			})
			assert.NoError(t, tc.call(t.Context(), c))
		})
	}
}
