package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestOneUserOneTruth(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	atTheSameTime(t, options{}, map[string]func(*life){
		"an approval that is reopened is in review and buys nothing": func(l *life) {
			a := l.decided("approve")
			l.becomes(a.SessionID, didit.StatusInReview)
			got := l.shows(a.SessionID, didit.StatusInReview)
			require.Empty(l.t, got.URL, "the person has nothing to do")
			again := l.start("")
			require.Equal(l.t, http.StatusOK, again.code, again.raw)
			require.Equal(l.t, didit.StatusInReview, again.Status)
			require.Equal(l.t, a.SessionID, again.SessionID)
			require.Empty(l.t, again.URL)
			require.Empty(l.t, again.Outcome)
			require.Equal(l.t, 1, l.sessionsOf(l.user))
			l.becomes(a.SessionID, didit.StatusDeclined)
			l.shows(a.SessionID, didit.StatusDeclined)
			l.atRest(a.SessionID, kyc.OutcomeDeclined, 1)
			l.record(l.user, "reopened-declined")
		},
		"a reopened approval that is approved again is approved": func(l *life) {
			a := l.decided("approve")
			l.becomes(a.SessionID, didit.StatusInReview)
			l.shows(a.SessionID, didit.StatusInReview)
			l.start("")
			l.becomes(a.SessionID, didit.StatusApproved)
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
		"a reviewer approves the session that the person abandoned": func(l *life) {
			a := l.decided("abandon")
			b := l.start("")
			require.NotEqual(l.t, a.SessionID, b.SessionID)
			l.becomes(a.SessionID, didit.StatusApproved)
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1) // the other one was never opened
			l.record(l.user, "older-approved-callback")
		},
		"a user in review sees no link": func(l *life) {
			a := l.began()
			require.NotEmpty(l.t, l.get("/"+l.user).URL)
			l.press(a.URL, "review")
			require.Empty(l.t, l.shows(a.SessionID, didit.StatusInReview).URL)
			require.NotContains(l.t, l.get("/"+l.user).raw, a.URL)
			require.Empty(l.t, l.start("").URL)
		},
		"the flow is part of the answer": func(l *life) {
			a := l.began()
			require.Equal(l.t, flow, a.WorkflowID)
			for range 2 { // open, then closed
				other := l.start(`,"workflow_id":"` + flow2 + `"`)
				require.Equal(l.t, http.StatusConflict, other.code, other.raw)
				require.Equal(l.t, "/problems/other-flow", other.Problem.Type)
				require.Contains(l.t, other.Problem.Detail, flow)
				require.Contains(l.t, other.Problem.Detail, flow2)
				same := l.start(`,"workflow_id":"` + flow + `"`)
				require.Equal(l.t, a.SessionID, same.SessionID)
				if same.Outcome == "" {
					l.press(a.URL, "approve")
					l.closed(l.user)
				}
			}
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			b := l.start(`,"reverify":true,"workflow_id":"` + flow2 + `"`)
			require.Equal(l.t, flow2, b.WorkflowID, b.raw)
			l.press(b.URL, "decline")
			l.closed(l.user)
			l.atRest(b.SessionID, kyc.OutcomeDeclined, 2)
			l.record(l.user, "reverified-other-flow")
		},
		"a late Resubmitted is the same attempt for everyone": func(l *life) {
			a := l.decided("decline")
			l.becomes(a.SessionID, didit.StatusResubmitted)
			got := l.shows(a.SessionID, didit.StatusResubmitted)
			require.Equal(l.t, 2, got.Attempt)
			require.Equal(l.t, a.URL, got.URL, "the person must come back")
			again := l.start("")
			require.Equal(l.t, 2, again.Attempt)
			require.Equal(l.t, a.URL, again.URL)
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			l.record(l.user, "late-resubmitted-approved")
		},
	})
}

// Another program may ask Didit for a session of the same user: Didit overwrites the metadata.
func TestMetadataThatAnotherProgramOverwroteLosesNothing(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	all := map[string]func(*life){}
	for name, metadata := range map[string]string{
		"an object of another shop": `{"shop":1}`, "null": `null`, "json text": `"{\"kyc_deployment\":\"another\"}"`,
	} {
		all["metadata is "+name] = func(l *life) {
			a := l.began()
			l.create(metadata)
			require.Equal(l.t, 1, l.sessionsOf(l.user))
			l.press(a.URL, "approve")
			l.closed(l.user)
			l.becomes(a.SessionID, didit.StatusDeclined)
			l.shows(a.SessionID, didit.StatusDeclined)
			l.atRest(a.SessionID, kyc.OutcomeDeclined, 1)
		}
	}
	atTheSameTime(t, options{}, all)
}
