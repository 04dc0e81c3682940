package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// makeFlow makes a flow at Didit, beside the one of the settings.
func (s *system) makeFlow(names ...string) string {
	s.t.Helper()
	c, err := didit.NewClient(didit.ClientOptions{BaseURL: s.simURL, APIKey: apiKey})
	require.NoError(s.t, err)
	features := make([]didit.Feature, len(names))
	for i, n := range names {
		features[i] = didit.Feature{Name: n}
	}
	f, err := c.CreateFlow(s.within(timeout), didit.CreateFlowRequest{Features: features})
	require.NoError(s.t, err)
	return f.ID
}

// hears waits for a result with a status.
func (s *system) hears(r *signup, kind kyc.ResultType, want didit.Status) kyc.State {
	s.t.Helper()
	var found kyc.State
	s.eventually(func() bool {
		return slices.ContainsFunc(r.got(), func(m message) bool {
			found = m.result.Data
			return m.result.Type == kind && m.result.Data.Status == want
		})
	}, "a result "+string(kind)+" of "+string(want))
	return found
}

func TestACompanyIsVerifiedLikeAPerson(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	started, err := s.Start(s.within(timeout), kyc.Input{UserID: "company-1", WorkflowID: s.makeFlow("KYB_REGISTRY", "KYB_DOCUMENTS", "KYB_KEY_PEOPLE")})
	require.NoError(t, err)
	s.open(started.Session.URL)
	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusAwaitingUser), "the owners are asked too")
	s.status("company-1", didit.StatusAwaitingUser)
	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusApproved))
	got := s.result("company-1")
	require.Equal(t, kyc.OutcomeApproved, got.Outcome)
	require.Equal(t, []kyc.Check{
		{Feature: "KYB_REGISTRY", Status: "Approved"}, {Feature: "KYB_KEY_PEOPLE", Status: "Approved"}, {Feature: "KYB_DOCUMENTS", Status: "Approved"},
	}, got.Checks)
}

func TestMonitoringAndExpiryAfterAVerdictAreReported(t *testing.T) {
	t.Parallel()
	shop := newSignup(t, nil)
	s := start(t, options{resultURL: shop.URL})
	started, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1", WorkflowID: s.makeFlow("OCR", "AML")})
	require.NoError(t, err)
	s.press(started.Session.URL, "approve")
	s.hears(shop, kyc.ResultCompleted, didit.StatusApproved)
	s.closed("u1") // an event in the task that posts the result would make Temporal refuse its record of it

	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusInReview))
	got := s.hears(shop, kyc.ResultChanged, didit.StatusInReview)
	require.Contains(t, got.Checks, kyc.Check{Feature: "AML", Status: "In Review"})
	require.Equal(t, []string{"AML_HIT"}, got.Warnings)

	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusApproved))
	s.eventually(func() bool {
		results := shop.got()
		return results[len(results)-1].result.Data.Status == didit.StatusApproved
	}, "approved again")
	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusKycExpired))
	s.eventually(func() bool {
		results := shop.got()
		return results[len(results)-1].result.Data.Outcome == kyc.OutcomeLapsed
	}, "the document has expired")

	again, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1", Reverify: true})
	require.NoError(t, err)
	require.NotEqual(t, started.Session.SessionID, again.Session.SessionID, "verified anew")
}
