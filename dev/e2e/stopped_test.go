package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// Temporal's own button ends a verification at once, whatever it waits for; its session stays at Didit.
func TestStoppedInTemporal(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	began := s.begin("waits-for-the-user")
	s.cancelInTemporal("waits-for-the-user")
	require.Equal(t, began.Session.SessionID, s.stateOf("waits-for-the-user").SessionID)
	s.record("waits-for-the-user", "stopped-waiting")

	s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 1000})
	go func() { _, _ = s.Start(t.Context(), kyc.Input{UserID: "waits-for-didit"}) }()
	s.eventually(func() bool { return s.sim.CallCount(diditsim.EndpointCreate) > 1 }, "a create that fails")
	s.cancelInTemporal("waits-for-didit")
	require.Equal(t, kyc.OutcomeCancelled, s.stateOf("waits-for-didit").Outcome)
	s.record("waits-for-didit", "stopped-before-the-session")
	require.Len(t, s.sim.Sessions(), 1)
}

func (s *system) stateOf(user string) kyc.State {
	s.t.Helper()
	state, err := s.State(s.within(timeout), user)
	require.NoError(s.t, err)
	return state
}
