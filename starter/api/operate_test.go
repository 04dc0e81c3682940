package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func TestAnActionNamesTheTokenAndTheOperator(t *testing.T) {
	for body, actor := range map[string]string{
		`{"actor":"anna","reason":"duplicate:CASE-1"}`: "shop:anna",
		reason: "shop",
	} {
		for _, what := range []string{kyc.UpdateCancel, kyc.UpdateRefresh} {
			b := newBench(t, nil)
			b.update = func(_ context.Context, name, userID string, r ops.Request) (kyc.State, error) {
				assert.Equal(t, what, name)
				assert.Equal(t, ops.Request{Operator: kyc.Operator{Actor: actor, Reason: "duplicate:CASE-1"}}, r)
				return approved(userID), nil
			}
			rec := b.request(http.MethodPost, Path+"/u1/"+what, body, nil)
			require.Equal(t, http.StatusOK, rec.Code, rec.Body)
			assert.Contains(t, rec.Body.String(), `"outcome":"approved"`)
		}
	}
}

func TestADecisionActsOncePerKey(t *testing.T) {
	ids := map[string][]string{}
	send := func(path, body, key, bearer string) string {
		b := newBench(t, nil)
		var got kyc.Operation
		b.fake.operate = func(_ context.Context, op kyc.Operation) (kyc.OperationResult, error) {
			got = op
			return kyc.OperationResult{UserID: op.UserID, SessionID: "session-1", Verb: op.Verb, Before: didit.StatusInReview, After: op.Verb.Status(), Changed: true}, nil
		}
		rec := b.request(http.MethodPost, Path+path, body, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+bearer)
			if key != "" {
				r.Header.Set(headerIdempotency, key)
			}
		})
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		require.NoError(t, got.Validate())
		require.NoError(t, uuid.Validate(got.ID))
		if key != "" {
			assert.Equal(t, key, rec.Header().Get(headerIdempotency))
		}
		assert.NotEmpty(t, rec.Header().Get(headerIdempotency), "a caller without a key can repeat too")
		return got.ID
	}
	const approve = `{"verb":"approve","reason":"documents-checked:CASE-1"}`
	first := send("/u1/decision", approve, "k1", token)
	assert.Equal(t, first, send("/u1/decision", approve, "k1", newToken), "another token of the same caller")
	for what, other := range map[string]string{
		"another key":    send("/u1/decision", approve, "k2", token),
		"another user":   send("/u2/decision", approve, "k1", token),
		"another verb":   send("/u1/decision", strings.Replace(approve, "approve", "decline", 1), "k1", token),
		"another caller": send("/u1/decision", approve, "k1", opsToken),
		"no key":         send("/u1/decision", approve, "", token),
	} {
		assert.NotEqual(t, first, other, what)
		ids[other] = append(ids[other], what)
	}
	assert.Len(t, ids, 5)
}

func TestAnOperationThatTakesLongIsAccepted(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeout = time.Millisecond })
	b.fake.operate = func(ctx context.Context, _ kyc.Operation) (kyc.OperationResult, error) {
		<-ctx.Done()
		return kyc.OperationResult{}, ctx.Err()
	}
	rec := b.request(http.MethodDelete, Path+"/u1", `{"reason":"request:CASE-1","legal_hold_checked":true}`, header(headerIdempotency, "k1"))
	require.Equal(t, http.StatusAccepted, rec.Code, rec.Body)
	assert.Equal(t, "5", rec.Header().Get("Retry-After"))
	assert.Equal(t, "k1", rec.Header().Get(headerIdempotency))
	var got Operation
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &got))
	assert.Equal(t, Operation{kyc.OperationResult{UserID: "u1", Verb: kyc.VerbErase}, false}, got)
}

func TestWrongActionsAreNotPassedOn(t *testing.T) {
	for name, tc := range map[string]struct{ method, path, body, field, says string }{
		"no reason":           {http.MethodPost, "/u1/cancel", `{}`, "reason", "reason is missing; want a code and a ticket"},
		"free text":           {http.MethodPost, "/u1/cancel", `{"reason":"Eve asked for it"}`, "reason", "never free text about a person"},
		"an actor's e-mail":   {http.MethodPost, "/u1/refresh", `{"reason":"r","actor":"eve@shop.example"}`, "actor", "actor: want 1 to 64"},
		"two long names":      {http.MethodPost, "/u1/refresh", `{"reason":"r","actor":"` + strings.Repeat("a", 64) + `"}`, "actor", "actor: want 1 to 64"},
		"no verb":             {http.MethodPost, "/u1/decision", `{"reason":"r"}`, "verb", "want approve, decline or resubmit"},
		"the verb erase":      {http.MethodPost, "/u1/decision", `{"reason":"r","verb":"erase"}`, "verb", "not one of approve, decline, resubmit"},
		"a session's name":    {http.MethodPost, "/u1/decision", `{"reason":"r","verb":"approve","session_id":"s1"}`, "session_id", "not a UUID"},
		"no legal hold":       {http.MethodDelete, "/u1", `{"reason":"r"}`, "legal_hold_checked", "legal_hold_checked is missing"},
		"a legal hold":        {http.MethodDelete, "/u1", `{"reason":"r","legal_hold_checked":false}`, "legal_hold_checked", "needs true"},
		"a hold in quotes":    {http.MethodDelete, "/u1", `{"reason":"r","legal_hold_checked":"true"}`, "legal_hold_checked", "is a string; want true or false"},
		"another's operation": {http.MethodDelete, "/u1~x", `{"reason":"r","legal_hold_checked":true}`, "user_id", "not allowed at position 3"},
		"an action's query":   {http.MethodPost, "/u1/cancel?now=1", reason, "now", "this route takes none"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			p := problemIn(t, b.request(tc.method, Path+tc.path, tc.body, nil))
			assert.Equal(t, invalidInput.name, p.name())
			require.Len(t, p.Errors, 1)
			assert.Equal(t, tc.field, p.Errors[0].Field)
			assert.Contains(t, p.Errors[0].Detail, tc.says)
			assert.Zero(t, b.calls)
		})
	}
	b := newBench(t, nil)
	p := problemIn(t, b.request(http.MethodPost, Path+"/u1/decision", `{"verb":"approve","reason":"r"}`, header(headerIdempotency, "ü")))
	assert.Equal(t, headerIdempotency, p.Errors[0].Field)
}

func TestTheListsFiltersArrive(t *testing.T) {
	b := newBench(t, nil)
	var got kyc.Filter
	b.fake.list = func(_ context.Context, f kyc.Filter) (kyc.Page, error) {
		got = f
		return kyc.Page{Items: []kyc.Summary{{UserID: "u1", RunID: "run-1", Status: didit.StatusInReview, WaitingFor: kyc.WaitingForReview, StartedAt: noon}}, Next: "p2"}, nil
	}
	query := url.Values{"status": {"In Review"}, "waiting_for": {"review"}, "since": {"2026-11-23T12:00:00Z"}, "limit": {"7"}, "page": {"p1"}}
	rec := b.get(Path + "?" + query.Encode())
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	assert.Equal(t, kyc.Filter{Status: didit.StatusInReview, WaitingFor: kyc.WaitingForReview, Since: noon, Limit: 7, Page: "p1"}, got)
	assert.JSONEq(t, `{"verifications":[{"user_id":"u1","run_id":"run-1","session_id":"","status":"In Review","outcome":"","waiting_for":"review",
		"error_type":"","started_at":"2026-11-23T12:00:00Z"}],"next_page":"p2"}`, rec.Body.String())
	for query, says := range map[string]string{
		"?status=Ready": "not one of Not Started", "?outcome=yes": "not one of approved", "?waiting_for=me": "not one of limit",
		"?since=yesterday": "RFC 3339", "?limit=0": "from 1 to 1000", "?limit=1001": "from 1 to 1000", "?limit=x": "from 1 to 1000",
		"?limit=1&limit=2": "given twice", "?user=u1": "this route knows limit, outcome, page, since, status, waiting_for",
	} {
		p := problemIn(t, b.get(Path+query))
		require.Len(t, p.Errors, 1, query)
		assert.Contains(t, p.Errors[0].Detail, says, query)
	}
}

func TestTheHistoryIsAnswered(t *testing.T) {
	b := newBench(t, nil)
	b.willing()
	rec := b.get(Path + "/u1/history")
	assert.JSONEq(t, `{"user_id":"u1","steps":[{"time":"2026-11-23T12:00:00Z","workflow_id":"kyc-u1","run_id":"run-1","what":"started"}]}`, rec.Body.String())
	b.timeline = func(context.Context, string) ([]ops.Step, error) { return nil, kyc.ErrNotFound }
	assert.Equal(t, notFound.name, problemIn(t, b.get(Path+"/u1/history")).name())
}
