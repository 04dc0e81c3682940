package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// An operator's day with the command line, and the record that it leaves.
func TestTheTimelineOfAUser(t *testing.T) {
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	as := func(reason string) []string { return []string{"--user", "u1", "--actor", "jo", "--reason", reason} }
	run := func(want string, args ...string) {
		t.Helper()
		out, errs, code := s.exec(starter, args...)
		require.Equal(t, 0, code, errs)
		require.Contains(t, out, want)
	}
	s.begin("u1")
	run("cancelled", append([]string{"cancel"}, as("typo:CASE-1")...)...)
	began := s.begin("u1")
	s.press(began.Session.URL, "review")
	s.status("u1", didit.StatusInReview)
	run("In Review", append([]string{"refresh"}, as("asked:CASE-2")...)...)
	run("Approved", append([]string{"decide", "--status", "approved"}, as("checked:CASE-3")...)...)
	s.result("u1")
	run("Declined", append([]string{"decide", "--status", "declined"}, as("fraud:CASE-4")...)...)
	s.status("u1", didit.StatusDeclined)

	_, errs, code := s.exec(starter, append([]string{"cancel"}, as("late:CASE-5")...)...)
	require.NotZero(t, code)
	require.Contains(t, errs, "has ended: declined")
	_, errs, code = s.exec(starter, append([]string{"decide", "--status", "approved", "--session", uuid.NewString()}, as("late:CASE-6")...)...)
	require.NotZero(t, code)
	require.Contains(t, errs, kyc.ErrorTypeNotFound)

	var story []ops.Step
	for _, want := range []ops.Step{
		{What: ops.StepStarted}, {What: ops.StepSession, Status: didit.StatusNotStarted},
		{What: ops.StepAction, Actor: "jo", Reason: "typo:CASE-1", Note: "cancel"}, {What: ops.StepDeleted},
		{What: ops.StepEnded, Outcome: kyc.OutcomeCancelled}, {What: ops.StepStarted},
		{What: ops.StepEvent, Status: didit.StatusInReview},
		{What: ops.StepAction, Actor: "jo", Reason: "asked:CASE-2", Note: "refresh"},
		{What: ops.StepAction, Actor: "jo", Reason: "checked:CASE-3", Note: "approve"},
		{What: ops.StepEvent, Status: didit.StatusApproved},
		{What: ops.StepActionDone, Status: didit.StatusApproved},
		{What: ops.StepAction, Actor: "jo", Reason: "fraud:CASE-4", Note: "decline"},
		{What: ops.StepEvent, Status: didit.StatusDeclined}, {What: ops.StepEnded, Outcome: kyc.OutcomeDeclined},
		{What: ops.StepAction, Actor: "jo", Reason: "late:CASE-6", Note: "approve"}, {What: ops.StepFailed},
	} {
		s.eventually(func() bool { // the visibility store lags a little
			var err error
			story, err = s.Timeline(s.within(timeout), "u1")
			return err == nil && has(story, want)
		}, fmt.Sprintf("%+v", want))
	}
	for i := range story[1:] {
		require.False(t, story[i+1].Time.Before(story[i].Time), "oldest first")
	}
	out, errs, code := s.exec(starter, "status", "--user", "u1", "--history")
	require.Equal(t, 0, code, errs)
	require.GreaterOrEqual(t, strings.Count(out, "\n"), 1+len(story))
	require.Contains(t, out, "jo fraud:CASE-4")
	require.NotContains(t, out, "/session/", "a story shows no link")
}

// has reports whether a story has a step that agrees with all that want says.
func has(story []ops.Step, want ops.Step) bool {
	for _, s := range story {
		if s.What == want.What && (want.Status == "" || s.Status == want.Status) && (want.Outcome == "" || s.Outcome == want.Outcome) &&
			s.Actor == want.Actor && s.Reason == want.Reason && (want.Note == "" || s.Note == want.Note) {
			return true
		}
	}
	return false
}
