package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func begun() record {
	r := newRecord("u1", noon)
	r.begin(kyc.Session{SessionID: "s1", Status: didit.StatusNotStarted}, noon)
	return r
}

func event(id string, at int64, s didit.Status) kyc.DiditEvent {
	return kyc.DiditEvent{EventID: id, Type: didit.EventStatusUpdated, SessionID: "s1", Status: s, CreatedAt: at}
}

// An event alone never ends anything: it shows where the session is, or asks for Didit's decision.
func TestWhatAnEventMeans(t *testing.T) {
	for status, doubt := range map[didit.Status]bool{
		didit.StatusNotStarted: false, didit.StatusInProgress: false, didit.StatusAwaitingUser: false,
		didit.StatusInReview: false, didit.StatusResubmitted: false,
		didit.StatusApproved: true, didit.StatusDeclined: true, didit.StatusExpired: true,
		didit.StatusAbandoned: true, didit.StatusKycExpired: true,
	} {
		t.Run(string(status), func(t *testing.T) {
			r := begun()
			r.apply(event("e1", 1, status), noon)
			require.Equal(t, doubt, r.doubt)
			require.False(t, r.ended())
			if !doubt {
				require.Equal(t, status, r.state.Status)
			}
		})
	}
}

func TestWhatADecisionMeans(t *testing.T) {
	want := map[didit.Status]kyc.Outcome{
		didit.StatusApproved: kyc.OutcomeApproved, didit.StatusDeclined: kyc.OutcomeDeclined, didit.StatusExpired: kyc.OutcomeExpired,
		didit.StatusAbandoned: kyc.OutcomeAbandoned, didit.StatusKycExpired: kyc.OutcomeLapsed,
	}
	for _, status := range didit.Statuses() {
		t.Run(string(status), func(t *testing.T) {
			r := begun()
			r.settle(activities.Decision{Status: status}, noon)
			require.Equal(t, want[status], r.state.Outcome)
			require.Equal(t, status, r.state.Status)
		})
	}
}

func TestADecisionThatSaysNothing(t *testing.T) {
	for name, d := range map[string]activities.Decision{
		"none at all":     {},
		"foreign":         {Status: didit.StatusApproved, Foreign: []string{"vendor_data"}},
		"an unknown word": {Status: "Teleported"},
	} {
		t.Run(name, func(t *testing.T) {
			r := begun()
			r.apply(event("e1", 1, didit.StatusApproved), noon)
			r.settle(d, noon)
			require.False(t, r.doubt, "asking again at once would be a loop")
			require.Equal(t, didit.StatusNotStarted, r.state.Status)
			require.False(t, r.ended())
		})
	}
}

// Once Didit's decision was read, events are only reasons to read it again.
func TestAfterADecisionEventsAreHints(t *testing.T) {
	r := begun()
	r.settle(activities.Decision{Status: didit.StatusInReview}, noon)
	r.apply(event("e1", 1, didit.StatusInProgress), noon)
	require.Equal(t, didit.StatusInReview, r.state.Status)
	require.True(t, r.doubt)
}

func TestWhenTheUsersTimeRuns(t *testing.T) {
	for status, want := range map[didit.Status]bool{
		didit.StatusNotStarted: true, didit.StatusInProgress: true, didit.StatusAwaitingUser: true, didit.StatusResubmitted: true,
		didit.StatusInReview: false, didit.StatusApproved: false, didit.StatusDeclined: false, didit.StatusExpired: false,
		didit.StatusAbandoned: false, didit.StatusKycExpired: false, "": false,
	} {
		r := newRecord("u1", noon)
		r.state.Status = status
		require.Equal(t, want, r.userMustAct(), status)
	}
}

func TestBeingAskedAgainRestartsTheClock(t *testing.T) {
	r := begun()
	later := noon.Add(time.Hour)
	r.apply(event("e1", 1, didit.StatusResubmitted), later)
	require.Equal(t, later, r.asked)
	require.Equal(t, 2, r.state.Attempt)
	r.apply(event("e2", 2, didit.StatusResubmitted), later.Add(time.Hour))
	require.Equal(t, 2, r.state.Attempt, "the same news twice is one attempt")
}

func TestAReviewGrowsLate(t *testing.T) {
	r := begun()
	r.apply(event("e1", 1, didit.StatusInReview), noon)
	require.False(t, r.reviewLate(noon.Add(71*time.Hour)))
	require.True(t, r.reviewLate(noon.Add(72*time.Hour)))
	r.apply(event("e2", 2, didit.StatusResubmitted), noon.Add(80*time.Hour))
	require.False(t, r.reviewLate(noon.Add(80*time.Hour)), "it is the user's turn")
}
