package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// browser speaks to the Web UI as its page does: JSON, a cookie and the token of that cookie.
type browser struct {
	*system
	client *http.Client
	token  string
}

func (s *system) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	b := &browser{system: s, client: &http.Client{Jar: jar}}
	res, err := b.client.Get(s.server.UIURL)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	at, err := url.Parse(s.server.UIURL)
	require.NoError(s.t, err)
	for _, c := range jar.Cookies(at) {
		if c.Name == "_csrf" {
			b.token = c.Value
		}
	}
	require.NotEmpty(s.t, b.token)
	return b
}

// post calls Temporal's API through the Web UI and returns the status and the answer.
func (b *browser) post(path string, body any) (int, string) {
	b.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(b.t, err)
	req, err := http.NewRequestWithContext(b.within(timeout), http.MethodPost, b.server.UIURL+"/api/v1/namespaces/default/workflows/"+path, bytes.NewReader(text))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF-Token", b.token)
	res, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return res.StatusCode, string(answer)
}

// payloads is JSON that a person has typed, as the page sends it.
func payloads(typed string) map[string]any {
	return map[string]any{"payloads": []any{map[string]any{
		"metadata": map[string][]byte{"encoding": []byte("json/plain")}, "data": []byte(typed),
	}}}
}

// startWorkflow is the form "Start Workflow".
func (b *browser) startWorkflow(id, typed string) {
	b.t.Helper()
	code, answer := b.post(url.PathEscape(id), map[string]any{
		"workflowType": map[string]string{"name": "Operation"}, "taskQueue": map[string]string{"name": "kyc"},
		"input": payloads(typed), "requestId": uuid.NewString(),
	})
	require.Equal(b.t, http.StatusOK, code, answer)
}

// sendUpdate is the form "Send an Update".
func (b *browser) sendUpdate(user, name, typed string) string {
	b.t.Helper()
	code, answer := b.post(url.PathEscape(kyc.WorkflowID(user))+"/update/"+name, map[string]any{
		"request": map[string]any{
			"meta":  map[string]string{"updateId": uuid.NewString()},
			"input": map[string]any{"name": name, "args": payloads(typed)},
		},
		"waitPolicy": map[string]string{"lifecycleStage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED"},
	})
	require.Equal(b.t, http.StatusOK, code, answer)
	return answer
}

func TestOperatorActionsInTheWebUI(t *testing.T) {
	t.Parallel()
	s := start(t, options{server: tserver.Options{UI: true}})
	b := s.browser()
	for user, tc := range orders {
		began := s.bring(user, tc.before, tc.closed)
		id := kyc.OperationID(user, tc.verb, uuid.NewString())
		b.startWorkflow(id, `{"user_id": "`+user+`", "verb": "`+string(tc.verb)+`", "actor": "jo", "reason": "documents-checked:CASE-1042"}`)
		var got kyc.OperationResult
		require.NoError(t, s.Temporal().GetWorkflow(s.within(timeout), id, "").Get(s.within(timeout), &got), user)
		require.Equal(t, tc.after, got.After)
		require.Equal(t, began.Session.SessionID, got.SessionID)
		require.Equal(t, []string{jo.String()}, s.comments(got.SessionID))
		s.status(user, tc.after)
	}
	id := "kyc-" + "approve-in-review"
	b.startWorkflow(id+"~approve-1", `{"user_id": "approve-in-review", "verb": "approve", "actor": "jo", "reason": "a:1"}`)
	err := s.Temporal().GetWorkflow(s.within(timeout), id+"~approve-1", "").Get(s.within(timeout), nil)
	require.ErrorContains(t, err, "must be kyc-approve-in-review~approve- and a new UUID")
}

func TestUpdatesInTheWebUI(t *testing.T) {
	t.Parallel()
	s := start(t, options{server: tserver.Options{UI: true}})
	b := s.browser()
	page := s.begin("u1").Session.URL
	const typed = `{"actor": "jo", "reason": "asked-by-phone:CASE-7"}`
	require.Contains(t, b.sendUpdate("u1", kyc.UpdateRefresh, `{"actor": "jo", "reason": "free text"}`), "never free text")
	s.press(page, "review")
	s.status("u1", didit.StatusInReview)
	b.sendUpdate("u1", kyc.UpdateRefresh, typed)
	b.sendUpdate("u1", kyc.UpdateCancel, typed)
	require.Equal(t, kyc.OutcomeCancelled, s.result("u1").Outcome)
	orders := 0
	for _, ev := range s.history("u1") {
		for _, p := range ev.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput().GetArgs().GetPayloads() {
			if bytes.Contains(p.GetData(), []byte(`"jo"`)) && bytes.Contains(p.GetData(), []byte("CASE-7")) {
				orders++
			}
		}
	}
	require.Equal(t, 2, orders, "who and why is in the history")
}
