package diditsim_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestCreate(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{WorkflowIDs: []string{flow}, Now: func() time.Time { return now }})
	code, _, body := b.call(t, "POST", "/v3/session/", apiKey, `{"workflow_id":"`+flow+`"}`)
	assert.Equal(t, http.StatusCreated, code)
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &keys))
	assert.Equal(t, []string{
		"callback", "metadata", "session_id", "session_number", "session_token", "status", "url", "vendor_data", "workflow_id",
		"workflow_version",
	}, slices.Sorted(maps.Keys(keys)))

	s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{
		WorkflowID: flow, VendorData: "u1", Callback: "https://app.example/done", Language: "pt-BR", Metadata: json.RawMessage(`{"attempt":1}`),
	})
	require.NoError(t, err)
	id, err := uuid.Parse(s.ID)
	require.NoError(t, err)
	assert.EqualValues(t, 4, id.Version())
	assert.EqualValues(t, 2, s.Number)
	assert.Regexp(t, `^[A-Za-z0-9_-]{12}$`, s.Token)
	assert.Equal(t, b.url+"/session/"+s.Token, s.URL)
	assert.Equal(t, didit.StatusNotStarted, s.Status)
	assert.JSONEq(t, `{"attempt":1}`, string(s.Metadata))

	kept, ok := b.Session(s.ID)
	require.True(t, ok)
	assert.Equal(t, diditsim.Session{
		ID: s.ID, Number: 2, Token: s.Token, URL: s.URL, VendorData: "u1", Status: didit.StatusNotStarted, WorkflowID: flow,
		Metadata: json.RawMessage(`{"attempt":1}`), Callback: "https://app.example/done", Language: "pt-BR",
		CreatedAt: now, UpdatedAt: now, ExpiresAt: now.AddDate(0, 0, 7),
	}, kept)
	assert.Equal(t, kept, b.Sessions()[1])
	_, ok = b.Session("nobody")
	assert.False(t, ok)
}

func TestCreateRefuses(t *testing.T) {
	b := start(t, diditsim.Options{WorkflowIDs: []string{flow}})
	with := func(field string) string { return `{"workflow_id":"` + flow + `",` + field + `}` }
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                  {"", `{"workflow_id":["This field is required."]}`},
		"an empty object":          {"{}", `{"workflow_id":["This field is required."]}`},
		"a flow that is no UUID":   {`{"workflow_id":"my-flow"}`, `{"workflow_id":["Must be a valid UUID."]}`},
		"a UUID in braces":         {`{"workflow_id":"{` + flow + `}"}`, `{"workflow_id":["Must be a valid UUID."]}`},
		"an unknown flow":          {`{"workflow_id":"` + flow2 + `"}`, `{"workflow_id":["Workflow not found."]}`},
		"a number as vendor_data":  {with(`"vendor_data":5`), `{"vendor_data":["Not a valid value."]}`},
		"a callback without host":  {with(`"callback":"/done"`), `{"callback":["Enter a valid URL."]}`},
		"a callback that is code":  {with(`"callback":"javascript:alert(1)"`), `{"callback":["Enter a valid URL."]}`},
		"a language that is a set": {with(`"language":"en,de"`), `{"language":["\"en,de\" is not a valid choice."]}`},
		"half a JSON":              {`{"workflow_id":`, `{"detail":"JSON parse error."}`},
		"a list":                   {`[]`, `{"detail":"JSON parse error."}`},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, body := b.call(t, "POST", "/v3/session/", apiKey, tc.body)
			assert.Equal(t, 400, code)
			assert.Equal(t, tc.want, body)
		})
	}
	code, _, _ := b.call(t, "POST", "/v3/session/", apiKey, strings.Repeat(" ", 2<<20))
	assert.Equal(t, http.StatusRequestEntityTooLarge, code)
	code, _, _ = b.call(t, "POST", "/v3/session/", apiKey, with(`"vendor_data":null,"callback":null,"metadata":null,"contact_details":{"email":"a@b.example"}`))
	assert.Equal(t, http.StatusCreated, code, "null is the same as nothing, and other fields are taken")
	assert.Len(t, b.Sessions(), 1)
}

func TestUnfinishedSessionsAreReturnedAgain(t *testing.T) {
	unfinished := []didit.Status{
		didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser,
	}
	for _, st := range didit.Statuses() {
		t.Run(string(st), func(t *testing.T) {
			b := start(t, diditsim.Options{})
			first, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{
				WorkflowID: flow, VendorData: "u1", Callback: "https://old.example", Metadata: json.RawMessage(`1`),
			})
			require.NoError(t, err)
			b.bring(t, first.ID, st)
			second, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{
				WorkflowID: strings.ToUpper(flow), VendorData: "u1", Callback: "https://new.example", Metadata: json.RawMessage(`2`),
			})
			require.NoError(t, err)
			if !slices.Contains(unfinished, st) {
				assert.NotEqual(t, first.ID, second.ID)
				return
			}
			assert.Equal(t, first.ID, second.ID)
			assert.Equal(t, first.URL, second.URL)
			assert.Equal(t, st, second.Status)
			assert.Equal(t, "2", string(second.Metadata))
			kept, _ := b.Session(first.ID)
			assert.Equal(t, "https://new.example", kept.Callback)
		})
	}
	t.Run("but not for another flow, another user or no user", func(t *testing.T) {
		b := start(t, diditsim.Options{})
		for _, r := range []didit.CreateSessionRequest{
			{WorkflowID: flow, VendorData: "u1"}, {WorkflowID: flow2, VendorData: "u1"}, {WorkflowID: flow, VendorData: "u2"},
			{WorkflowID: flow}, {WorkflowID: flow},
		} {
			_, err := b.api.CreateSession(t.Context(), r)
			require.NoError(t, err)
		}
		assert.Len(t, b.Sessions(), 5)
	})
}
