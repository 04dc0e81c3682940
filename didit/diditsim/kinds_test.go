package diditsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return string(b)
}

// flow makes a flow with features and returns its id.
func (b bundle) flow(t *testing.T, names ...string) string {
	t.Helper()
	r := didit.CreateFlowRequest{Label: strings.Join(names, "+")}
	for _, n := range names {
		r.Features = append(r.Features, didit.Feature{Name: n})
	}
	f, err := b.api.CreateFlow(t.Context(), r)
	require.NoError(t, err)
	require.True(t, f.Usable())
	return f.ID
}

func (b bundle) session(t *testing.T, flowID, vendorData string) didit.Session {
	t.Helper()
	s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flowID, VendorData: vendorData})
	require.NoError(t, err)
	return s
}

func (b bundle) checks(t *testing.T, id string) map[string]string {
	t.Helper()
	d, err := b.api.Decision(t.Context(), id)
	require.NoError(t, err)
	all := map[string]string{}
	for _, c := range d.Checks {
		all[c.Feature] = c.Status
	}
	return all
}

func TestACompanyIsVerified(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
	s := b.session(t, b.flow(t, "KYB_REGISTRY", "KYB_DOCUMENTS", "KYB_KEY_PEOPLE"), "company-1")
	b.create(t, "u1")
	b.settle(t) // so that the webhook of u1 is not the last one
	b.bring(t, s.ID, didit.StatusAwaitingUser)
	require.NoError(t, b.SetStatus(s.ID, didit.StatusApproved))
	b.settle(t)
	assert.Equal(t, map[string]string{"KYB_REGISTRY": "Approved", "KYB_DOCUMENTS": "Approved", "KYB_KEY_PEOPLE": "Approved"}, b.checks(t, s.ID))
	last := hooks.hooks()[len(hooks.hooks())-1].body
	assert.Equal(t, "business", last["session_kind"])
	assert.Equal(t, "company-1", last["vendor_business_id"])
	assert.Equal(t, s.ID, last["business_session_id"])
	assert.False(t, b.HasUser("company-1"), "a company is no user")

	for kind, want := range map[didit.Kind]int{didit.KindUser: 1, didit.KindBusiness: 1, didit.KindAll: 2, "": 2} {
		p, err := b.api.ListSessions(t.Context(), didit.ListSessionsRequest{Kind: kind})
		require.NoError(t, err)
		assert.Len(t, p.Sessions, want, kind)
	}
	all, err := b.api.SessionsOf(t.Context(), "company-1")
	require.NoError(t, err)
	require.Len(t, all, 1, "a list of a vendor_data that leaves out companies would buy them twice")
	assert.Equal(t, didit.KindBusiness, all[0].Kind)
	assert.Equal(t, s.WorkflowID, all[0].WorkflowID)
}

func TestStepsAboutACompanyItselfAreNotResubmitted(t *testing.T) {
	b := start(t, diditsim.Options{})
	s := b.session(t, b.flow(t, "KYB_REGISTRY", "KYB_DOCUMENTS"), "company-1")
	b.bring(t, s.ID, didit.StatusDeclined)
	again := didit.UpdateStatusRequest{NewStatus: didit.StatusResubmitted}
	assert.Equal(t, 400, refusal(t, b.api.UpdateStatus(t.Context(), s.ID, again)).StatusCode, "only the registry was declined")
	again.NodesToResubmit = []didit.Node{{NodeID: "feature_kyb_registry_1", Feature: "KYB_REGISTRY"}}
	assert.Equal(t, 400, refusal(t, b.api.UpdateStatus(t.Context(), s.ID, again)).StatusCode)
	again.NodesToResubmit = []didit.Node{{NodeID: "feature_kyb_documents_1", Feature: "KYB_DOCUMENTS"}}
	require.NoError(t, b.api.UpdateStatus(t.Context(), s.ID, again))
	assert.Equal(t, "Not Finished", b.checks(t, s.ID)["KYB_DOCUMENTS"])
}

func TestMonitoringReopensASession(t *testing.T) {
	b := start(t, diditsim.Options{})
	s := b.session(t, b.flow(t, "OCR", "AML"), "u1")
	b.bring(t, s.ID, didit.StatusApproved)
	require.NoError(t, b.SetStatus(s.ID, didit.StatusInReview))
	assert.Equal(t, map[string]string{"ID_VERIFICATION": "Approved", "AML": "In Review"}, b.checks(t, s.ID))
	d, err := b.api.Decision(t.Context(), s.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"AML_HIT"}, d.Warnings)
	require.NoError(t, b.api.UpdateStatus(t.Context(), s.ID, didit.UpdateStatusRequest{NewStatus: didit.StatusResubmitted}))
	assert.Equal(t, "Resub Requested", b.checks(t, s.ID)["AML"])
	require.NoError(t, b.SetStatus(s.ID, didit.StatusApproved))
	require.NoError(t, b.SetStatus(s.ID, didit.StatusInReview))
	require.NoError(t, b.SetStatus(s.ID, didit.StatusDeclined))
	assert.Equal(t, "Declined", b.checks(t, s.ID)["AML"], "what was doubted is what is declined")
	require.NoError(t, b.SetStatus(s.ID, didit.StatusApproved))
	require.NoError(t, b.SetStatus(s.ID, didit.StatusKycExpired))
	assert.Equal(t, map[string]string{"ID_VERIFICATION": "Expired", "AML": "Approved"}, b.checks(t, s.ID), "a document expires, not the monitoring")
	assert.NotEqual(t, s.ID, b.session(t, s.WorkflowID, "u1").ID, "verified anew")
}

func TestFlowsThatDiditRefuses(t *testing.T) {
	b := start(t, diditsim.Options{})
	for body, want := range map[string]string{
		``:                                   `{"detail":"Unknown field, or not JSON."}`,
		`{}`:                                 `{"features":["This field is required."]}`,
		`{"features":["OCR"]}`:               `{"features":[["Each workflow feature must be an object."]]}`,
		`{"features":[{"feature":"MAGIC"}]}`: `{"features":[{"feature":["\"MAGIC\" is not a valid choice."]}]}`,
		`{"features":[{"feature":"OCR"}],"workflow_type":"kyc"}`:                              `{"detail":"Unknown field, or not JSON."}`,
		`{"features":[{"feature":"OCR"}],"status":"x"}`:                                       `{"status":["\"x\" is not a valid choice."]}`,
		`{"workflow_label":"` + strings.Repeat("x", 51) + `","features":[{"feature":"OCR"}]}`: `{"workflow_label":["Ensure this field has no more than 50 characters."]}`,
	} {
		code, _, got := b.call(t, "POST", "/v3/workflows/", apiKey, body)
		assert.Equal(t, 400, code, body)
		assert.JSONEq(t, want, got)
	}
	for range 49 { // beside the one that is there
		b.flow(t, "OCR", "LIVENESS")
	}
	code, _, got := b.call(t, "POST", "/v3/workflows/", apiKey, `{"features":[{"feature":"OCR"}]}`)
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `{"detail":"Maximum number of workflows reached."}`, got)
}

func TestADraftCreatesNoSession(t *testing.T) {
	b := start(t, diditsim.Options{WorkflowIDs: []string{flow}})
	id := b.flow(t, "OCR")
	code, _, _ := b.call(t, "PATCH", "/v3/workflows/"+id+"/", apiKey, `{"status":"draft"}`)
	assert.Equal(t, 200, code)
	_, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: id})
	assert.Equal(t, didit.CauseFlow, refusal(t, err).Cause())
	code, _, _ = b.call(t, "DELETE", "/v3/workflows/"+id+"/", apiKey, "")
	assert.Equal(t, 204, code)
	code, _, _ = b.call(t, "GET", "/v3/workflows/"+id+"/", apiKey, "")
	assert.Equal(t, 404, code)
}

func TestABatchIsDeleted(t *testing.T) {
	b := start(t, diditsim.Options{})
	for i := range 22 {
		b.create(t, fmt.Sprintf("u%d", i))
	}
	remove := func(body string) (int, map[string]any) {
		code, _, text := b.call(t, "POST", "/v3/sessions/delete/", apiKey, body)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		return code, got
	}
	code, got := remove(`{"session_numbers":["1",99]}`)
	assert.Equal(t, 200, code)
	assert.Len(t, got["results"], 1, "unknown numbers are passed over")
	code, got = remove(`{"delete_all":true}`)
	assert.Equal(t, 200, code)
	assert.Len(t, got["results"], 21)
	assert.Empty(t, b.Sessions())
	code, _, text := b.call(t, "POST", "/v3/sessions/delete/", apiKey, `{}`)
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `["Provide session_numbers or set delete_all=true."]`, text)
}

func TestGroupsThatAreNotSimulatedAnswer501(t *testing.T) {
	b := start(t, diditsim.Options{})
	for _, path := range []string{"/v3/transactions/", "/v3/lists/x/entries/", "/v3/session/imports/x/", "/v3/travel-rule/"} {
		code, _, body := b.call(t, "POST", path, apiKey, "{}")
		assert.Equal(t, http.StatusNotImplemented, code, path)
		assert.Contains(t, body, path)
	}
	code, _, _ := b.call(t, "POST", "/v3/lists/", "", "{}")
	assert.Equal(t, 403, code, "the key is judged first")
	assert.Equal(t, 5, b.CallCount(diditsim.EndpointNotSimulated))
}

func TestALostKeyIsFound(t *testing.T) {
	b := start(t, diditsim.Options{})
	got, _ := b.open(t, inbox)
	r := b.registrar(t)
	again, err := r.Recover(t.Context(), inbox, password)
	require.NoError(t, err)
	assert.Equal(t, got.APIKey.Reveal(), again.APIKey.Reveal())
	assert.Equal(t, got.ApplicationID, again.ApplicationID)
	assert.Equal(t, got.OrganizationName, again.OrganizationName)
	for range 5 {
		_, err = r.Recover(t.Context(), inbox, "Wr0ng!Password")
		assert.Equal(t, 401, refusal(t, err).StatusCode)
	}
	_, err = r.Recover(t.Context(), inbox, password)
	require.ErrorIs(t, err, didit.ErrLockedOut)
	assert.NotContains(t, err.Error(), password)
	code, _, _ := b.call(t, "GET", "/auth/v2/organizations/me/", "", "")
	assert.Equal(t, 401, code, "no token")
}
