package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

var jo = kyc.Operator{Actor: "jo", Reason: "documents-checked:CASE-1042"}

// orders are all verbs on the ways in which a session can stand before.
var orders = map[string]struct {
	before string // a button of the hosted page
	closed bool   // the verification is over by then
	verb   kyc.Verb
	after  didit.Status
}{
	"approve-in-review":  {"review", false, kyc.VerbApprove, didit.StatusApproved},
	"decline-in-review":  {"review", false, kyc.VerbDecline, didit.StatusDeclined},
	"resubmit-in-review": {"review", false, kyc.VerbResubmit, didit.StatusResubmitted},
	"approve-declined":   {"decline", true, kyc.VerbApprove, didit.StatusApproved},
	"decline-approved":   {"approve", true, kyc.VerbDecline, didit.StatusDeclined},
	"resubmit-declined":  {"decline", true, kyc.VerbResubmit, didit.StatusResubmitted},
	"approve-abandoned":  {"abandon", true, kyc.VerbApprove, didit.StatusApproved},
}

func TestOperatorActions(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for user, tc := range orders {
		s.bring(user, tc.before, tc.closed)
		id := uuid.NewString()
		got, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: tc.verb, Operator: jo, ID: id})
		require.NoError(t, err, user)
		require.True(t, got.Changed, user)
		require.Equal(t, tc.after, got.After, user)
		s.status(user, tc.after)

		operation := kyc.OperationID(user, tc.verb, id)
		text := fmt.Sprint(s.historyOf(operation, ""))
		require.Contains(t, text, jo.Actor)
		require.Contains(t, text, jo.Reason)
		require.Equal(t, []string{jo.String()}, s.comments(got.SessionID), "Didit has it too")

		again, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: tc.verb, Operator: jo, ID: id})
		require.NoError(t, err)
		require.Equal(t, got, again, "a repeat with the same id is the same order")
		other, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: tc.verb, Operator: jo})
		require.NoError(t, err)
		require.True(t, other.Already)
		require.False(t, other.Changed)
		require.Len(t, s.comments(got.SessionID), 1, "Didit was not asked again")
		if user == "approve-in-review" || user == "decline-approved" {
			s.recordRun(operation, "operation-"+user)
		}
	}
}

// bring brings a user to a status by a button of the hosted page.
func (s *system) bring(user, button string, closed bool) kyc.Started {
	s.t.Helper()
	began := s.begin(user)
	s.press(began.Session.URL, button)
	if closed {
		s.result(user)
	} else {
		s.status(user, didit.StatusInReview)
	}
	return began
}

// comments are those that Didit has kept in the session's reviews.
func (s *system) comments(sessionID string) (comments []string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.within(timeout), http.MethodGet, s.simURL+"/v3/session/"+sessionID+"/decision/", nil)
	require.NoError(s.t, err)
	req.Header.Set("X-Api-Key", apiKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	var d struct {
		Reviews []struct {
			Comment string `json:"comment"`
		} `json:"reviews"`
	}
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&d))
	for _, r := range d.Reviews {
		comments = append(comments, r.Comment)
	}
	return comments
}

func TestOperatorActionsThatDiditWouldRefuse(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	began := s.begin("u1")
	s.press(s.begin("u2").Session.URL, "review")
	for name, tc := range map[string]struct {
		op   kyc.Operation
		kind string
		want string
	}{
		"the link was never opened":   {kyc.Operation{UserID: "u1", Verb: kyc.VerbApprove}, kyc.ErrorTypeRefused, "Not Started"},
		"an unknown user":             {kyc.Operation{UserID: "nobody", Verb: kyc.VerbApprove}, kyc.ErrorTypeRefused, "remembers no verification"},
		"another user's session":      {kyc.Operation{UserID: "u2", Verb: kyc.VerbApprove, SessionID: began.Session.SessionID}, kyc.ErrorTypeRefused, "vendor_data"},
		"a session that Didit forgot": {kyc.Operation{UserID: "u1", Verb: kyc.VerbDecline, SessionID: uuid.NewString()}, kyc.ErrorTypeNotFound, "has no such session"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.op.Operator = jo
			_, err := s.Operate(s.within(timeout), tc.op)
			var refused *ops.OperationError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tc.kind, refused.Type)
			require.ErrorContains(t, err, tc.want)
		})
	}
	require.Zero(t, s.sim.CallCount(diditsim.EndpointUpdateStatus), "nothing was even tried")
}

func TestAnOperatorActionWhoseAnswerWasLost(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for user, fault := range map[string]diditsim.Fault{
		"done-then-hang-up": {Kind: diditsim.CommitThenHangUp},
		"done-then-502":     {Kind: diditsim.CommitThenStatus, Status: http.StatusBadGateway},
		"hang-up":           {Kind: diditsim.HangUp},
		"429":               {Status: http.StatusTooManyRequests},
	} {
		began := s.bring(user, "review", false)
		fault.VendorData = user
		s.sim.FailNext(http.MethodPatch, "/v3/session/", fault)
		id := uuid.NewString()
		got, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: kyc.VerbResubmit, Operator: jo, ID: id})
		require.NoError(t, err, user)
		require.True(t, got.Changed, user)
		require.Equal(t, didit.StatusResubmitted, got.After)
		require.Len(t, s.comments(began.Session.SessionID), 1, "done once: %s", user)
		if user != "done-then-502" { // which is as done-then-hang-up
			s.recordRun(kyc.OperationID(user, kyc.VerbResubmit, id), "operation-"+user)
		}
	}
}

// An operator action reports by itself what no webhook does.
func TestALostWebhookAfterAnOperatorAction(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	for user, tc := range map[string]struct {
		before string
		closed bool
		verb   kyc.Verb
	}{
		"open": {"review", false, kyc.VerbApprove}, "closed": {"approve", true, kyc.VerbDecline},
	} {
		began := s.bring(user, tc.before, tc.closed)
		s.sim.SetWebhookScript(func(diditsim.Event) []diditsim.Send { return nil })
		got, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: tc.verb, Operator: jo})
		require.NoError(t, err)
		s.status(user, got.After)
		require.Equal(t, began.Session.SessionID, s.stateOf(user).SessionID)
		s.closed(user)
		s.record(user, "operated-"+user)
		s.sim.SetWebhookScript(nil)
	}
}
