package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// A run that was reset reads the verdict first, and is sent the events of before again. None of them is ahead of Didit's
// decision, so nothing is waited for.
func TestEventsOfBeforeTheVerdictKeepNoRunOpen(t *testing.T) {
	now := time.Unix(1795000000, 0)
	s := newSessionState("u1", now)
	s.follow(kyc.Session{SessionID: "s1", Status: didit.StatusNotStarted}, now)
	approved := activities.Decision{Status: didit.StatusApproved}
	require.True(t, s.applyDecision(approved, now))
	s.apply(kyc.DiditEvent{EventID: "1", Status: didit.StatusInProgress, CreatedAt: now.Unix()}, now)
	s.apply(kyc.DiditEvent{EventID: "2", Status: didit.StatusApproved, CreatedAt: now.Unix()}, now)
	require.True(t, s.applyDecision(approved, now))
	require.Zero(t, s.lag)
}

// The control: what may be ahead of the decision is waited for.
func TestAReopeningThatTheDecisionDoesNotShowIsReadAgain(t *testing.T) {
	now := time.Unix(1795000000, 0)
	s := newSessionState("u1", now)
	s.follow(kyc.Session{SessionID: "s1", Status: didit.StatusNotStarted}, now)
	approved := activities.Decision{Status: didit.StatusApproved}
	require.True(t, s.applyDecision(approved, now))
	s.apply(kyc.DiditEvent{EventID: "1", Status: didit.StatusInReview, CreatedAt: now.Unix()}, now)
	require.True(t, s.applyDecision(approved, now))
	require.Equal(t, now.Add(lagBackoff[0]), s.lag.next)
}

// Didit's times are seconds, so of two events of one second either may be the last.
func TestTheOtherOfTwoEventsOfOneSecondIsReadAgain(t *testing.T) {
	for _, tc := range []struct {
		later int64
		again bool
	}{{0, true}, {1, false}} {
		now := time.Unix(1795000000, 0)
		s := newSessionState("u1", now)
		s.follow(kyc.Session{SessionID: "s1", Status: didit.StatusInProgress}, now)
		abandoned := activities.Decision{Status: didit.StatusAbandoned}
		s.apply(kyc.DiditEvent{EventID: "1", Status: didit.StatusDeclined, CreatedAt: now.Unix()}, now)
		require.True(t, s.applyDecision(abandoned, now))
		s.apply(kyc.DiditEvent{EventID: "2", Status: didit.StatusAbandoned, CreatedAt: now.Unix() + tc.later}, now)
		require.Equal(t, tc.again, !s.lag.next.IsZero())
	}
}
