package diditsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestBodiesCanBeEdited(t *testing.T) {
	v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{"edit-test-secret"}, Tolerance: time.Minute})
	require.NoError(t, err)
	got := make(chan []byte, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, err := v.Verify(r.Header, body); err != nil {
			t.Error(err)
		}
		got <- body
	}))
	defer hook.Close()
	sim := diditsim.New(diditsim.Options{
		WebhookURL: hook.URL, WebhookSecret: "edit-test-secret",
		Edit: func(what string, body map[string]any) { body["edited"] = what },
	})
	defer sim.Close()
	api := httptest.NewServer(sim)
	defer api.Close()
	c, err := didit.NewClient(didit.ClientOptions{BaseURL: api.URL, APIKey: "any-key"})
	require.NoError(t, err)
	session, err := c.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"})
	require.NoError(t, err)

	var webhook, decision map[string]any
	require.NoError(t, json.Unmarshal(<-got, &webhook))
	require.Equal(t, diditsim.EditWebhook, webhook["edited"])
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.URL+"/v3/session/"+session.ID+"/decision/", nil)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", "any-key")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, json.NewDecoder(res.Body).Decode(&decision))
	require.Equal(t, diditsim.EndpointDecision, decision["edited"])
	require.Equal(t, session.ID, decision["session_id"])
}
