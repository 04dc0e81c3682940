package diditsim_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestEveryStatusIsSentAndVerifies(t *testing.T) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}})
	require.NoError(t, err)
	withDecision := []didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAbandoned}
	for _, st := range didit.Statuses() {
		t.Run(string(st), func(t *testing.T) {
			hooks := receive(t, nil)
			b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, Environment: didit.EnvironmentSandbox})
			s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{
				WorkflowID: flow, VendorData: "user-é", Metadata: json.RawMessage(`{"score": 1.0, "b":"<>&\u2028"}`),
			})
			require.NoError(t, err)
			b.bring(t, s.ID, st)
			b.settle(t)
			got := hooks.hooks()
			require.Len(t, got, len(ways[st])+1, "one for each status, the first included")
			last := got[len(got)-1]
			event, err := verifier.Verify(last.header, []byte(last.raw))
			require.NoError(t, err)
			kept, _ := b.Session(s.ID)
			assert.Equal(t, didit.Event{
				ID: event.ID, Type: didit.EventStatusUpdated, Timestamp: event.Timestamp, CreatedAt: kept.UpdatedAt.Unix(),
				Environment: didit.EnvironmentSandbox, SessionID: s.ID, SessionKind: "user", Status: st, WorkflowID: flow, VendorData: "user-é",
				Metadata: json.RawMessage(`{"b":"<>&\u2028","score":1}`),
			}, event)
			decision, has := last.body["decision"].(map[string]any)
			assert.Equal(t, slices.Contains(withDecision, st), has)
			if has {
				assert.EqualValues(t, st, decision["status"])
			}
			_, has = last.body["resubmit_info"]
			assert.Equal(t, st == didit.StatusResubmitted, has)
		})
	}
}

func TestEachSignatureStandsAlone(t *testing.T) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}})
	require.NoError(t, err)
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
	id := b.create(t, "u1").ID
	b.bring(t, id, didit.StatusApproved)
	b.settle(t)
	for _, h := range hooks.hooks() {
		assert.Equal(t, "DiditWebhook/2.0 +https://didit.me", h.header.Get("User-Agent"))
		assert.Equal(t, "application/json", h.header.Get("Content-Type"))
		signed := strconv.FormatFloat(h.body["timestamp"].(float64), 'f', 0, 64)
		assert.Equal(t, signed, h.header.Get(didit.HeaderTimestamp))
		simple := didit.SignSimple(secret, int64(h.body["timestamp"].(float64)), id, h.body["status"].(string), "status.updated")
		assert.Equal(t, simple, h.header.Get(didit.HeaderSignatureSimple))
		assert.NotRegexp(t, `[^ -~]|": |, "`, h.raw, "ASCII and compact")
		for name, remove := range map[string]string{"raw": didit.HeaderSignatureV2, "V2": didit.HeaderSignature} {
			alone := h.header.Clone()
			alone.Del(remove)
			_, err := verifier.Verify(alone, []byte(h.raw))
			assert.NoError(t, err, name)
		}
		var again map[string]any
		require.NoError(t, json.Unmarshal([]byte(h.raw), &again))
		spaced, err := json.MarshalIndent(again, "", "  ")
		require.NoError(t, err)
		_, err = verifier.Verify(h.header, spaced)
		assert.NoError(t, err, "V2 survives a body that was written anew")
	}
}

func TestResubmitInfo(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
	first, second, third := b.create(t, "u1").ID, b.create(t, "u2").ID, b.create(t, "u3").ID
	b.bring(t, first, didit.StatusDeclined)
	b.bring(t, second, didit.StatusDeclined)
	b.bring(t, third, didit.StatusApproved)
	require.NoError(t, b.api.UpdateStatus(t.Context(), first, didit.UpdateStatusRequest{NewStatus: didit.StatusResubmitted, Comment: "photo is blurred"}))
	require.NoError(t, b.api.UpdateStatus(t.Context(), second, didit.UpdateStatusRequest{
		NewStatus: didit.StatusResubmitted, NodesToResubmit: []didit.Node{{NodeID: "feature_face_1", Feature: "FACE_MATCH"}},
	}))
	require.NoError(t, b.SetStatus(third, didit.StatusResubmitted))
	b.settle(t)
	got := map[string]any{}
	for _, h := range hooks.hooks() {
		if h.body["status"] == "Resubmitted" {
			info, err := json.Marshal(h.body["resubmit_info"])
			require.NoError(t, err)
			got[h.body["session_id"].(string)] = string(info)
		}
	}
	assert.Equal(t, map[string]any{
		first:  `{"nodes_to_resubmit":[{"feature":"OCR","node_id":"feature_ocr_1"}],"reasons":{"feature_ocr_1":"photo is blurred"}}`,
		second: `{"nodes_to_resubmit":[{"feature":"FACE_MATCH","node_id":"feature_face_1"}],"reasons":{"feature_face_1":"to be repeated"}}`,
		third:  `{"nodes_to_resubmit":[{"feature":"OCR","node_id":"feature_ocr_1"}],"reasons":{"feature_ocr_1":"to be repeated"}}`,
	}, got)
}
