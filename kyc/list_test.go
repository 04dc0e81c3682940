package kyc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
)

func TestTheListsQuery(t *testing.T) {
	at := time.Date(2026, 11, 23, 13, 0, 0, 5, time.FixedZone("", 3600))
	for want, f := range map[string]Filter{
		"WorkflowType = 'Verification'": {},
		"WorkflowType = 'Verification' AND KycStatus = 'In Review' AND KycOutcome = 'approved' AND KycWaitingFor = 'review'": {
			Status: didit.StatusInReview, Outcome: OutcomeApproved, WaitingFor: WaitingForReview,
		},
		"WorkflowType = 'Verification' AND StartTime >= '2026-11-23T12:00:00.000000005Z'": {Since: at},
		"WorkflowType = 'Verification' AND (CloseTime >= '2026-11-23T12:00:00.000000005Z' OR (ExecutionStatus = 'Running' AND " +
			"KycOutcome IN ('approved', 'declined', 'expired', 'abandoned', 'lapsed', 'failed', 'cancelled', 'erased')))": {OverSince: at},
		"WorkflowType = 'Verification' AND ExecutionStatus = 'Running' AND WorkflowId IN ('kyc-u1', 'kyc-u:2')": {Open: true, UserIDs: []string{"u1", "u:2"}},
	} {
		got, err := f.query()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for name, f := range map[string]Filter{
		"a quote in a status":  {Status: "x' OR 'a' = 'a"},
		"a quote in a user id": {UserIDs: []string{"u1') OR ('a' = 'a"}},
		"an operation's id":    {UserIDs: []string{"u1~erase-1"}},
		"a long outcome":       {Outcome: Outcome(make([]byte, 200))},
		"too large a page":     {Limit: MaxList + 1},
		"a negative page":      {Limit: -1},
	} {
		_, err := f.query()
		assert.ErrorIs(t, err, ErrInvalidInput, name)
	}
}
