package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// overwrites is what Didit does to an unfinished session of the same user and flow when another deployment creates one: it
// returns this session, with the other's metadata.
func overwrites(at time.Duration) step {
	return step{at, func(l *life) {
		l.newest().metadata = json.RawMessage(`{"kyc_deployment":"there","temporal_run_id":"1190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10","attempt":1}`)
	}}
}

func terminates(at time.Duration) step { return step{at, (*life).terminate} }

// deletes is a run that leaves no trace in Temporal.
func deletes(at time.Duration) step {
	return step{at, func(l *life) { l.terminate(); l.past, l.results = nil, nil }}
}

// A session stays the user's although its metadata names another deployment, as long as the user's newest run knows it.
func TestASessionWhoseMetadataWasOverwritten(t *testing.T) {
	h := time.Hour
	START := again(4*h, kyc.Input{}, nil)
	for name, tc := range map[string]struct {
		steps    []step
		status   didit.Status
		outcome  kyc.Outcome
		sessions int
	}{
		"is confirmed before its link is returned again": {[]step{START}, notStarted, "", 1},
		"is approved":                             {[]step{changes(2*h, approved), START}, approved, kyc.OutcomeApproved, 1},
		"is approved, and that webhook is lost":   {[]step{loses(2*h, approved), START}, approved, kyc.OutcomeApproved, 1},
		"is approved, and declined by a reviewer": {[]step{changes(2*h, approved), changes(3*h, declined), START}, declined, kyc.OutcomeDeclined, 1},
		"expires": {[]step{changes(2*h, expired), START}, notStarted, "", 2},
		"expires, is replaced, and a reviewer approves it: the newer one stays": {
			[]step{changes(2*h, expired), START, {5 * h, func(l *life) { l.moves(l.didit.sessions[0], approved, false) }}}, notStarted, "", 2,
		},
		"has lost its run":                                                     {[]step{terminates(2 * h), START}, notStarted, "", 1},
		"has lost its run, and is in review":                                   {[]step{terminates(2 * h), loses(3*h, inReview), START}, inReview, "", 1},
		"has lost its run, and is approved":                                    {[]step{terminates(2 * h), loses(3*h, approved), START}, approved, kyc.OutcomeApproved, 1},
		"has lost its run, and is approved by a webhook":                       {[]step{terminates(2 * h), changes(3*h, approved), START}, approved, kyc.OutcomeApproved, 1},
		"has no run that Temporal remembers":                                   {[]step{deletes(2 * h), START}, notStarted, "", 1},
		"has no run that Temporal remembers, and is approved: it is another's": {[]step{deletes(2 * h), loses(3*h, approved), START}, notStarted, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lives(t, patient, append([]step{overwrites(h)}, tc.steps...)...)
			require.Equal(t, tc.status, l.state().Status)
			require.Equal(t, tc.outcome, l.state().Outcome)
			require.Len(t, l.didit.sessions, tc.sessions)
			if tc.sessions == 1 {
				require.Equal(t, l.newest().id, l.state().SessionID)
			}
		})
	}
}
