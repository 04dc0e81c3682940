package diditsim_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestDelete(t *testing.T) {
	for name, tc := range map[string]struct {
		status         didit.Status
		vendor, body   string
		code           int
		wantFaceResult string
	}{
		"a session that never began":           {didit.StatusNotStarted, "u1", "", 200, "none"},
		"a decided session":                    {didit.StatusApproved, "u1", "", 200, "deleted"},
		"null keeps to the default":            {didit.StatusApproved, "u1", `{"retain_face_embeddings":null}`, 200, "deleted"},
		"an erasure":                           {didit.StatusApproved, "u1", `{"deletion_instruction":"privacy_erasure"}`, 200, "deleted"},
		"a face that is kept with the user":    {didit.StatusApproved, "u1", `{"retain_face_embeddings":true}`, 200, "retained_with_user"},
		"a face that has no user to stay with": {didit.StatusApproved, "", `{"retain_face_embeddings":true}`, 200, "ineligible_no_vendor_user"},
		"an unknown instruction":               {didit.StatusApproved, "u1", `{"deletion_instruction":"all"}`, 400, ""},
		"half a JSON":                          {didit.StatusApproved, "u1", `{`, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, diditsim.Options{})
			s := b.create(t, tc.vendor)
			b.bring(t, s.ID, tc.status)
			code, _, body := b.call(t, "DELETE", "/v3/session/"+s.ID+"/delete/", apiKey, tc.body)
			require.Equal(t, tc.code, code)
			if code != 200 {
				assert.Len(t, b.Sessions(), 1)
				return
			}
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(body), &got))
			assert.Len(t, got, 6)
			assert.Equal(t, tc.wantFaceResult, got["face_retention_outcome"])
			assert.Equal(t, s.ID, got["session_id"])
			assert.Empty(t, b.Sessions())
		})
	}
	t.Run("is for good, by the client", func(t *testing.T) {
		b := start(t, diditsim.Options{})
		s := b.create(t, "u1")
		done, err := b.api.DeleteSession(t.Context(), s.ID, didit.DeleteSessionRequest{})
		require.NoError(t, err)
		assert.Equal(t, didit.DeletedSession{ID: s.ID, FaceRetentionOutcome: didit.FaceNone}, done)
		_, err = b.api.DeleteSession(t.Context(), s.ID, didit.DeleteSessionRequest{})
		assert.Equal(t, 404, refusal(t, err).StatusCode)
		_, err = b.api.Decision(t.Context(), s.ID)
		assert.Equal(t, 404, refusal(t, err).StatusCode)
		code, _, _ := b.call(t, "GET", "/session/"+s.Token, "", "")
		assert.Equal(t, 404, code)
		p, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{VendorData: "u1"})
		require.NoError(t, err)
		assert.Empty(t, p.Sessions)
		assert.ErrorIs(t, b.SetStatus(s.ID, didit.StatusInProgress), diditsim.ErrUnknownSession)
		assert.NotEqual(t, s.ID, b.create(t, "u1").ID)
	})
}
