package diditsim_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestDecisionFitsTheStatus(t *testing.T) {
	three := func(document string) []didit.Check {
		return []didit.Check{{Feature: "ID_VERIFICATION", Status: document}, {Feature: "LIVENESS", Status: "Approved"}, {Feature: "FACE_MATCH", Status: "Approved"}}
	}
	begun := []didit.Check{{Feature: "ID_VERIFICATION", Status: "Not Finished"}}
	for st, want := range map[didit.Status]struct {
		checks   []didit.Check
		warnings []string
	}{
		didit.StatusNotStarted:   {},
		didit.StatusExpired:      {},
		didit.StatusInProgress:   {begun, nil},
		didit.StatusAwaitingUser: {begun, nil},
		didit.StatusAbandoned:    {begun, nil},
		didit.StatusResubmitted:  {three("Not Finished"), nil},
		didit.StatusApproved:     {three("Approved"), nil},
		didit.StatusDeclined:     {three("Declined"), []string{"DOCUMENT_EXPIRED"}},
		didit.StatusInReview:     {three("In Review"), []string{"POSSIBLE_FRAUD"}},
		didit.StatusKycExpired:   {three("Expired"), []string{"DOCUMENT_EXPIRED"}},
	} {
		t.Run(string(st), func(t *testing.T) {
			b := start(t, diditsim.Options{Environment: didit.EnvironmentSandbox})
			s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, VendorData: "u1", Metadata: json.RawMessage(`{"attempt":1}`)})
			require.NoError(t, err)
			b.bring(t, s.ID, st)
			d, err := b.api.Decision(t.Context(), s.ID)
			require.NoError(t, err)
			kept, _ := b.Session(s.ID)
			assert.Equal(t, didit.Decision{
				SessionID: s.ID, SessionURL: s.URL, Status: st, WorkflowID: flow, VendorData: "u1", Environment: didit.EnvironmentSandbox,
				Metadata: json.RawMessage(`{"attempt":1}`), CreatedAt: kept.CreatedAt.UTC().Round(0), ExpiresAt: kept.ExpiresAt.UTC().Round(0),
				Checks: want.checks, Warnings: want.warnings,
			}, d)
		})
	}
}

func TestDecisionHasTheFieldsOfARealOne(t *testing.T) {
	b := start(t, diditsim.Options{})
	id := b.create(t, "u1").ID
	read := func() map[string]any {
		_, _, body := b.call(t, "GET", "/v3/session/"+id+"/decision/", apiKey, "")
		var d map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &d))
		return d
	}
	blocks := []string{
		"id_verifications", "nfc_verifications", "liveness_checks", "face_matches", "poa_verifications", "document_ai_documents",
		"phone_verifications", "email_verifications", "aml_screenings", "ip_analyses", "database_validations", "questionnaire_responses",
	}
	d := read()
	for _, key := range blocks {
		assert.Contains(t, d, key)
		assert.Nil(t, d[key], "null until it has run")
	}
	assert.Equal(t, "live", d["environment"])
	assert.Equal(t, "user", d["session_kind"])
	assert.Empty(t, d["reviews"])
	b.bring(t, id, didit.StatusApproved)
	require.NoError(t, b.api.UpdateStatus(t.Context(), id, didit.UpdateStatusRequest{NewStatus: didit.StatusDeclined, Comment: "T-1"}))
	d = read()
	document := d["id_verifications"].([]any)[0].(map[string]any)
	assert.Equal(t, "Simulína", document["first_name"], "a reader must have something to leave alone")
	assert.Equal(t, "T-1", d["reviews"].([]any)[0].(map[string]any)["comment"])
}
