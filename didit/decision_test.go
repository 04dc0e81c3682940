package didit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fullDecision has every block, in an order of its own, with invented personal data that must not come through.
const fullDecision = `{
 "session_id":"` + testID + `","session_kind":"user","session_number":1024,"session_url":"https://verify.example/en/session/aB3xQ9zK7m2p",
 "status":"In Review","workflow_id":"` + testFlow + `","features":["ID_VERIFICATION"],"vendor_data":"user-0001",
 "metadata":{"attempt": 1},"environment":"sandbox","created_at":"2026-11-18T10:00:00Z","expires_at":"2026-11-25T10:00:00.123456",
 "reviews":[{"user":"Jane Reviewer","comment":"secret comment"}],
 "document_verifications":[{"status":"Approved"}],"key_people_checks":[{"status":"Approved"}],"registry_checks":[{"status":"Approved"}],
 "questionnaire_responses":[{"status":"Not Finished"}],"database_validations":[{"status":"Approved"}],"ip_analyses":[{"status":"Approved"}],
 "aml_screenings":[{"status":"In Review","warnings":[{"risk":"POSSIBLE_MATCH_FOUND"},{"risk":"Simon Specimen is on a list"},{"risk":"POSSIBLE_FRAUD"}]}],
 "email_verifications":[{"status":"Approved"}],"phone_verifications":[{"status":"Approved"}],"document_ai_documents":[{"status":"Approved"}],
 "poa_verifications":[{"status":"Declined"}],"face_matches":[{"status":"Approved","score":88.25}],"liveness_checks":null,
 "nfc_verifications":[{"status":"Approved"}],
 "id_verifications":[
  {"node_id":"feature_ocr_1","status":"Approved","first_name":"Simon","last_name":"Specimen","warnings":[]},
  {"node_id":"feature_ocr_2","status":"Simon Specimen","warnings":[{"feature":"ID_VERIFICATION","risk":"POSSIBLE_FRAUD","short_description":"Simon"}]}]}`

func TestDecision(t *testing.T) {
	c := serve(t, answerWith(http.StatusOK, fullDecision))
	d, err := c.Decision(t.Context(), testID)
	require.NoError(t, err)
	assert.Equal(t, Decision{
		SessionID: testID, SessionURL: "https://verify.example/en/session/aB3xQ9zK7m2p", Status: StatusInReview,
		WorkflowID: testFlow, VendorData: "user-0001", Environment: EnvironmentSandbox, Metadata: json.RawMessage(`{"attempt": 1}`),
		CreatedAt: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 11, 25, 10, 0, 0, 123_456_000, time.UTC),
		Checks: []Check{
			{"ID_VERIFICATION", "Approved"}, {"ID_VERIFICATION", CheckStatusUnknown}, {"NFC", "Approved"}, {"FACE_MATCH", "Approved"},
			{"PROOF_OF_ADDRESS", "Declined"}, {"DOCUMENT_AI", "Approved"}, {"PHONE_VERIFICATION", "Approved"},
			{"EMAIL_VERIFICATION", "Approved"}, {"AML", "In Review"},
			{"IP_ANALYSIS", "Approved"}, {"DATABASE_VALIDATION", "Approved"}, {"QUESTIONNAIRE", "Not Finished"},
			{"KYB_REGISTRY", "Approved"}, {"KYB_KEY_PEOPLE", "Approved"}, {"KYB_DOCUMENTS", "Approved"},
		},
		Warnings: []string{"POSSIBLE_FRAUD", "POSSIBLE_MATCH_FOUND"},
	}, d)
	shown := fmt.Sprintf("%+v", d)
	for _, personal := range []string{"Simon", "Specimen", "Jane", "comment"} {
		assert.NotContains(t, shown, personal)
	}
}

func TestDecisionsAreReadLeniently(t *testing.T) {
	for name, tc := range map[string]struct {
		fields string
		want   Decision
	}{
		"nothing has run":                    {`"id_verifications":null,"liveness_checks":null`, Decision{}},
		"a block is empty":                   {`"id_verifications":[]`, Decision{}},
		"a block has another shape":          {`"questionnaire_responses":{"status":"Approved"},"face_matches":[{"status":"Approved"}]`, Decision{Checks: []Check{{"FACE_MATCH", "Approved"}}}},
		"a status has another type":          {`"face_matches":[{"status":5,"warnings":[{"risk":"A"}]}]`, Decision{Checks: []Check{{"FACE_MATCH", CheckStatusUnknown}}, Warnings: []string{"A"}}},
		"warnings are text":                  {`"face_matches":[{"status":"Approved","warnings":"none"}]`, Decision{Checks: []Check{{"FACE_MATCH", "Approved"}}}},
		"a risk is empty, small or too long": {`"face_matches":[{"status":"Approved","warnings":[{"risk":""},{"risk":"low"},{"risk":null},{"risk":"A` + string(make64()) + `"},{"risk":"` + string(make64()) + `"}]}]`, Decision{Checks: []Check{{"FACE_MATCH", "Approved"}}, Warnings: []string{string(make64())}}},
		"a status of monitoring":             {`"aml_screenings":[{"status":"Resub Requested"}]`, Decision{Checks: []Check{{"AML", "Resub Requested"}}}},
		"statuses that are new":              {`"aml_screenings":[{"status":"Manual Review"},{"status":"PENDING_REVIEW"}]`, Decision{Checks: []Check{{"AML", "Manual Review"}, {"AML", "PENDING_REVIEW"}}}},
		"statuses that are about a person":   {`"aml_screenings":[{"status":"Declined Jane Roe"},{"status":"ROE_JANE"},{"status":" Approved"},{"status":""},{"status":"born 1931"}]`, Decision{Checks: []Check{{"AML", "Unknown"}, {"AML", "Unknown"}, {"AML", "Unknown"}, {"AML", "Unknown"}, {"AML", "Unknown"}}}},
		"a feature that is new":              {`"voice_checks":[{"node_id":"n1","status":"Approved","warnings":[{"risk":"NOISE"}]}]`, Decision{Checks: []Check{{"VOICE_CHECKS", "Approved"}}, Warnings: []string{"NOISE"}}},
		"lists that are no features":         {`"reviews":[{"user":"Jane","status":"Approved"}],"features":["OCR"],"notes":[{"node_id":"n1"}],"Jane Roe":[{"node_id":"n1","status":"Approved"}]`, Decision{}},
		"times are words":                    {`"created_at":"yesterday","expires_at":null`, Decision{}},
		"a time with another zone":           {`"created_at":"2026-11-18T12:00:00+02:00"`, Decision{CreatedAt: time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)}},
		"vendor_data is a number":            {`"vendor_data":5,"metadata":null`, Decision{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, answerWith(http.StatusOK, `{"session_id":"`+testID+`","status":"Teleported",`+tc.fields+`}`))
			d, err := c.Decision(t.Context(), testID)
			require.NoError(t, err)
			tc.want.SessionID, tc.want.Status = testID, "Teleported"
			assert.Equal(t, tc.want, d)
		})
	}
}

// make64 is the longest code that is let through.
func make64() []byte {
	b := make([]byte, 64)
	for i := range b {
		b[i] = 'X'
	}
	return b
}
