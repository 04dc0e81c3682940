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
