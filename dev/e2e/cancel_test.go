package e2e

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func TestCancelled(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for user, tc := range map[string]struct {
		before func(pageURL string)
		status didit.Status
		left   int // sessions at Didit
	}{
		"not-opened": {func(string) {}, didit.StatusNotStarted, 0},
		"opened":     {func(url string) { s.open(url) }, didit.StatusInProgress, 1},
		"in-review":  {func(url string) { s.press(url, "review") }, didit.StatusInReview, 1},
	} {
		began := s.begin(user)
		tc.before(began.Session.URL)
		s.status(user, tc.status)
		got, err := s.Cancel(s.within(timeout), user, ops.Request{Operator: jo})
		require.NoError(t, err)
		require.Equal(t, kyc.OutcomeCancelled, got.Outcome)
		require.Equal(t, tc.status, got.Status)
		require.Equal(t, got, s.result(user))
		require.Equal(t, tc.left, s.sessionsOf(user), "sessions left at Didit: %s", user)
		s.record(user, "cancelled-"+user)

		_, err = s.Cancel(s.within(timeout), user, ops.Request{Operator: jo, ID: "another"})
		require.ErrorContains(t, err, "has ended: cancelled")
	}
}

// What becomes of a session that was left at Didit is reported as a late update; that the user goes on with it is none.
func TestUpdatesOfACancelledSession(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	url := s.begin("u1").Session.URL
	s.open(url)
	_, err := s.Cancel(s.within(timeout), "u1", ops.Request{Operator: jo})
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeCancelled, s.result("u1").Outcome)
	s.press(url, "review")
	s.eventually(func() bool {
		return s.count(`WorkflowId = "kyc-u1" AND ExecutionStatus = "Completed"`) > 1
	}, "the late update has been looked into")
	require.Equal(t, kyc.OutcomeCancelled, s.stateOf("u1").Outcome)
	s.record("u1", "cancelled-goes-on")
	s.press(url, "approve")
	s.status("u1", didit.StatusApproved)
	require.Equal(t, kyc.OutcomeApproved, s.stateOf("u1").Outcome)
}

// startsAndIsCancelled is a caller whose START must be answered with the cancellation; the returned function waits for that.
func (s *system) startsAndIsCancelled(user string) (answered func()) {
	var caller sync.WaitGroup
	caller.Go(func() {
		_, err := s.Start(s.within(timeout), kyc.Input{UserID: user})
		var none *kyc.SessionError
		if !errors.As(err, &none) || none.Type != kyc.ErrorTypeCancelled {
			s.t.Errorf("%s: the caller got %v", user, err)
		}
	})
	return caller.Wait
}

func TestCancelledBeforeTheSession(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for user, fault := range map[string]diditsim.Fault{
		"between-tries":     {Status: http.StatusServiceUnavailable, Times: 1000},
		"under-way":         {Kind: diditsim.Slow, DelayAnswer: 2 * time.Second},
		"done-then-hang-up": {Kind: diditsim.CommitThenHangUp},
	} {
		fault.VendorData = user
		s.sim.FailNext(http.MethodPost, "/v3/session/", fault)
		calls := s.sim.CallCount(diditsim.EndpointCreate)
		answered := s.startsAndIsCancelled(user)
		s.eventually(func() bool { return s.sim.CallCount(diditsim.EndpointCreate) > calls || s.sessionsOf(user) > 0 }, "the create")
		got, err := s.Cancel(s.within(timeout), user, ops.Request{Operator: jo})
		require.NoError(t, err, user)
		require.Equal(t, kyc.OutcomeCancelled, got.Outcome)
		answered()
		require.Zero(t, s.sessionsOf(user), "sessions left at Didit: %s", user)
		s.record(user, "cancelled-"+user)
		s.sim.ClearFaults()
	}
}

// A verification that is cancelled during a create ends as cancelled, however the create fails.
func TestCancelledDuringACreateThatFails(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for user, fault := range map[string]diditsim.Fault{
		"turned-away": {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"60"}}},
		"unavailable": {Status: http.StatusServiceUnavailable},
		"no-credit":   {Status: http.StatusPaymentRequired},
	} {
		var asked atomic.Bool
		fault.VendorData, fault.DelayAnswer = user, 2*time.Second
		fault.Match = func(*http.Request) bool { asked.Store(true); return true }
		s.sim.FailNext(http.MethodPost, "/v3/session/", fault)
		answered := s.startsAndIsCancelled(user)
		s.eventually(asked.Load, "the create")
		got, err := s.Cancel(s.within(timeout), user, ops.Request{Operator: jo})
		require.NoError(t, err, "%s: %+v", user, s.stateOf(user))
		require.Equal(t, kyc.OutcomeCancelled, got.Outcome)
		answered()
		require.Equal(t, got, s.result(user))
		require.Zero(t, s.sessionsOf(user))
		s.record(user, "cancelled-"+user)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.sim.SetWebhookScript(func(diditsim.Event) []diditsim.Send { return nil }) // every webhook is lost
	url := s.begin("u1").Session.URL
	s.press(url, "review")
	got, err := s.Refresh(s.within(timeout), "u1", ops.Request{Operator: jo})
	require.NoError(t, err)
	require.Equal(t, didit.StatusInReview, got.Status)
	s.press(url, "approve")
	got, err = s.Refresh(s.within(timeout), "u1", ops.Request{Operator: jo})
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeApproved, got.Outcome)
	s.result("u1")
	_, err = s.Refresh(s.within(timeout), "u1", ops.Request{Operator: jo})
	require.ErrorContains(t, err, "has ended: approved")
	_, err = s.Refresh(s.within(timeout), "nobody", ops.Request{Operator: jo})
	require.ErrorIs(t, err, kyc.ErrNotFound)
	s.record("u1", "refreshed")
}
