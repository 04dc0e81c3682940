package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
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

// A run that was reset and terminated before a worker saw it knows nothing, and hides nothing.
func TestARunThatNeverRanHidesNothing(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	before := s.begin("u1")
	s.open(before.Session.URL)
	s.status("u1", didit.StatusInProgress)
	s.stopWorker()
	run := s.reset(kyc.WorkflowID("u1"))
	require.NoError(t, s.terminate(s.within(timeout), kyc.WorkflowID("u1"), run))
	s.stopWorker = s.startWorker(s.o)
	s.press(before.Session.URL, "approve") // begins a run, which asks those before it
	s.status("u1", didit.StatusApproved)
	require.Equal(t, 1, s.sessionsOf("u1"))
}
