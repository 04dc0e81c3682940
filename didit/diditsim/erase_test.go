package diditsim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestErasingAUser(t *testing.T) {
	b := start(t, diditsim.Options{})
	ctx := t.Context()
	const sessions = 105 // more than a page
	for range sessions {
		b.bring(t, b.create(t, "User-1").ID, didit.StatusDeclined)
	}
	other := b.create(t, "user-2")
	assert.True(t, b.HasUser("user-1"), "Didit does not look at case")
	n, err := b.api.DeleteUser(ctx, "nobody")
	require.NoError(t, err)
	assert.Zero(t, n)

	all, err := b.api.SessionsOf(ctx, "User-1")
	require.NoError(t, err)
	require.Len(t, all, sessions)
	keep := false
	for _, s := range all {
		done, err := b.api.DeleteSession(ctx, s.ID, didit.DeleteSessionRequest{Instruction: didit.DeletePrivacyErasure, RetainFaceEmbeddings: &keep})
		require.NoError(t, err)
		assert.Equal(t, didit.FaceDeleted, done.FaceRetentionOutcome)
	}
	assert.Empty(t, b.SessionsOf("User-1"))
	assert.True(t, b.HasUser("User-1"), "which is why there is another call")
	for _, want := range []int{1, 0} {
		n, err = b.api.DeleteUser(ctx, "User-1")
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	assert.False(t, b.HasUser("User-1"))
	assert.True(t, b.HasUser("user-2"))
	assert.Len(t, b.SessionsOf("user-2"), 1)
	b.create(t, "User-1")
	assert.True(t, b.HasUser("User-1"), "a new session makes a new user")
	n, err = b.api.DeleteUser(ctx, "user-2")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	_, err = b.api.Decision(ctx, other.ID)
	assert.NoError(t, err, "the sessions of a deleted user stay")
}

func TestDeletionsOfUsersThatDiditRefuses(t *testing.T) {
	b := start(t, diditsim.Options{})
	b.create(t, "u1")
	b.create(t, "u2")
	for body, want := range map[string]int{
		`{}`: 400, ``: 400, `{"vendor_data_list":["u1"],"delete_all":true}`: 400, `{"vendor_data_list":"u1"}`: 400, `{"delete_all":false}`: 400,
		`{"vendor_data_list":[]}`: 200, `{"didit_internal_id_list":["x"]}`: 400,
	} {
		code, _, _ := b.call(t, "POST", "/v3/users/delete/", apiKey, body)
		assert.Equal(t, want, code, body)
	}
	assert.True(t, b.HasUser("u1"))
	code, _, _ := b.call(t, "POST", "/v3/users/delete/", "wrong", `{"delete_all":true}`)
	assert.Equal(t, 401, code)
	_, _, body := b.call(t, "POST", "/v3/users/delete/", apiKey, `{"delete_all":true}`)
	assert.JSONEq(t, `{"deleted":2}`, body)
	assert.False(t, b.HasUser("u1") || b.HasUser("u2"))
}

func TestADeletionThatFailsForNow(t *testing.T) {
	b := start(t, diditsim.Options{})
	s := b.create(t, "u1")
	b.FailNext("DELETE", "/v3/session/", diditsim.Fault{Status: 503, VendorData: "u1"})
	b.FailNext("POST", "/v3/users/delete/", diditsim.Fault{Status: 503, VendorData: "u1"})
	b.FailNext("GET", "/v3/sessions/", diditsim.Fault{Status: 503, VendorData: "u1"})
	_, err := b.api.Reviews(t.Context(), s.ID)
	assert.Equal(t, 503, refusal(t, err).StatusCode)
	_, err = b.api.DeleteUser(t.Context(), "u2")
	require.NoError(t, err, "the fault is for another user")
	_, err = b.api.DeleteUser(t.Context(), "u1")
	assert.Equal(t, 503, refusal(t, err).StatusCode)
	_, err = b.api.DeleteSession(t.Context(), s.ID, didit.DeleteSessionRequest{Instruction: didit.DeletePrivacyErasure})
	assert.Equal(t, 503, refusal(t, err).StatusCode)
	assert.Len(t, b.Sessions(), 1)
	assert.True(t, b.HasUser("u1"))
	b.remove(t, s.ID)
}

func TestNoWebhookOfAnErasedSessionIsSentToAnyDestination(t *testing.T) {
	second := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: "http://127.0.0.1:1", RetryDelays: []time.Duration{0}, Webhooks: holding(1)})
	_, err := b.api.CreateDestination(t.Context(), destination(second.url))
	require.NoError(t, err)
	b.remove(t, b.create(t, "u1").ID)
	assert.Zero(t, b.releaseAll())
	b.settle(t)
	assert.Empty(t, b.Deliveries())
	assert.Empty(t, second.hooks())
}

func TestReviews(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{Now: func() time.Time { return at }})
	s := b.create(t, "u1")
	b.bring(t, s.ID, didit.StatusInReview)
	none, err := b.api.Reviews(t.Context(), s.ID)
	require.NoError(t, err)
	assert.Empty(t, none)
	code, _, _ := b.call(t, "POST", "/session/"+s.Token, "", "action=decline")
	require.Equal(t, 303, code)
	for range 2 { // the second changes nothing
		require.NoError(t, b.api.UpdateStatus(t.Context(), s.ID, didit.UpdateStatusRequest{NewStatus: didit.StatusApproved, Comment: "T-1"}))
	}
	all, err := b.api.Reviews(t.Context(), s.ID)
	require.NoError(t, err)
	require.Len(t, all, 2)
	for i := range all {
		assert.Len(t, all[i].ID, 36)
		all[i].ID = ""
	}
	assert.Equal(t, []didit.Review{
		{Activity: "STATUS_UPDATED", ActorType: "API_KEY", NewStatus: "Approved", PreviousStatus: "Declined", Comment: "T-1", CreatedAt: at},
		{Activity: "STATUS_UPDATED", ActorType: "CONSOLE_USER", NewStatus: "Declined", PreviousStatus: "In Review", CreatedAt: at},
	}, all)
	_, _, raw := b.call(t, "GET", "/v3/sessions/"+s.ID+"/reviews/?ordering=created_at&limit=1", apiKey, "")
	assert.Contains(t, raw, "revi.specimen@reviewers.example", "there is something to leave alone")
	assert.Contains(t, raw, "offset=1")
	for path, want := range map[string]int{"x": 404, s.ID: 401} {
		key := map[int]string{404: apiKey, 401: "wrong"}[want]
		code, _, _ := b.call(t, "GET", "/v3/sessions/"+path+"/reviews/", key, "")
		assert.Equal(t, want, code)
	}
}

func TestFlowsBalanceAndHealth(t *testing.T) {
	b := start(t, diditsim.Options{WorkflowIDs: []string{flow, flow2}})
	flows, err := b.api.Flows(t.Context())
	require.NoError(t, err)
	require.Len(t, flows, 2)
	assert.Equal(t, didit.Flow{ID: flow, VersionID: flow, Label: "Simulated KYC", Kind: "kyc", Status: "published", Version: 1, Default: true}, flows[0])
	assert.False(t, flows[1].Default)
	balance, err := b.api.Balance(t.Context())
	require.NoError(t, err)
	assert.Equal(t, didit.Balance{Amount: "100.0000"}, balance)
	b.SetBalance("-1.5000")
	balance, err = b.api.Balance(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "-1.5000", balance.Amount)
	require.NoError(t, b.api.Health(t.Context()))
	for _, path := range []string{"/v3/workflows/", "/v3/billing/balance/"} {
		code, _, _ := b.call(t, "GET", path, "", "")
		assert.Equal(t, 403, code)
	}

	b = start(t, diditsim.Options{})
	flows, err = b.api.Flows(t.Context())
	require.NoError(t, err)
	require.Len(t, flows, 1)
	_, err = b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flows[0].ID})
	assert.NoError(t, err, "where every flow exists, the one that is listed does too")
}
