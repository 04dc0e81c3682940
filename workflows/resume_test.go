package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// afterwards is a life whose user was approved an hour after the start.
func afterwards(t *testing.T, steps ...step) *life {
	t.Helper()
	return lives(t, usual, append([]step{changes(time.Hour, approved)}, steps...)...)
}

// What comes after the end begins a run that buys nothing, follows what Didit says, and ends again.
func TestLateUpdates(t *testing.T) {
	for name, tc := range map[string]struct {
		steps    []step
		want     kyc.Outcome
		reported []string // after the first verdict
		runs     int
	}{
		"a repeat":                         {[]step{webhookOnly(day, approved)}, kyc.OutcomeApproved, nil, 2},
		"declined by a reviewer":           {[]step{changes(day, declined)}, kyc.OutcomeDeclined, []string{"verification.changed Declined"}, 2},
		"lapsed":                           {[]step{changes(day, kycExpired)}, kyc.OutcomeLapsed, []string{"verification.changed Kyc Expired"}, 2},
		"reopened and cleared":             {[]step{changes(day, inReview), changes(3*day, approved)}, kyc.OutcomeApproved, []string{"verification.changed In Review", "verification.changed Approved"}, 2},
		"reopened, and the end lost":       {[]step{changes(day, inReview), loses(3*day, declined), waits(6 * day)}, kyc.OutcomeDeclined, []string{"verification.changed In Review", "verification.changed Declined"}, 2},
		"to be done again, and never done": {[]step{changes(day, resubmitted), waits(20 * day)}, kyc.OutcomeAbandoned, []string{"verification.changed Resubmitted", "verification.changed Resubmitted"}, 2},
		"what Didit does not confirm":      {[]step{webhookOnly(day, declined)}, kyc.OutcomeApproved, nil, 2},
		"twice":                            {[]step{changes(day, declined), changes(2*day, approved)}, kyc.OutcomeApproved, []string{"verification.changed Declined", "verification.changed Approved"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := afterwards(t, tc.steps...)
			require.Equal(t, tc.want, l.state().Outcome)
			require.Equal(t, append([]string{"verification.completed Approved"}, tc.reported...), l.posted())
			require.Equal(t, tc.runs, l.runs)
			require.Len(t, l.didit.sessions, 1)
			require.False(t, l.terminated, "it ends when nothing is pending")
			requireOrdered(t, l)
		})
	}
}

// An older session counts if Didit approves it while the user still waits for a verdict.
func TestEventsOfAnOlderSession(t *testing.T) {
	older := func(at time.Duration, s didit.Status) step {
		return step{at, func(l *life) { l.moves(l.didit.sessions[0], s, false) }}
	}
	for name, tc := range map[string]struct {
		steps   []step
		counts  int // which session
		deleted bool
		want    kyc.Outcome
	}{
		"approved":                          {[]step{older(2*day, approved)}, 0, true, kyc.OutcomeApproved},
		"approved, the newer one is opened": {[]step{changes(2*day, inProgress), older(3*day, approved)}, 0, false, kyc.OutcomeApproved},
		"declined":                          {[]step{older(2*day, declined)}, 1, false, ""},
		"in review":                         {[]step{older(2*day, inReview)}, 1, false, ""},
		"approved after a verdict":          {[]step{changes(2*day, declined), older(3*day, approved)}, 1, false, kyc.OutcomeDeclined},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lives(t, usual, append([]step{changes(time.Minute, inProgress), changes(time.Hour, abandoned), again(day, kyc.Input{}, nil)}, tc.steps...)...)
			require.Len(t, l.didit.sessions, 2)
			require.Equal(t, l.didit.sessions[tc.counts].id, l.state().SessionID)
			require.Equal(t, tc.deleted, l.didit.sessions[1].deleted)
			require.Equal(t, tc.want, l.state().Outcome)
		})
	}
}

// A session beside a verdict replaces it: events of the old one change nothing, unless the new one has no verdict to give.
func TestEventsOfAReplacedSession(t *testing.T) {
	l := afterwards(t, again(day, kyc.Input{Reverify: true}, nil), step{2 * day, func(l *life) { l.moves(l.didit.sessions[0], declined, false) }})
	require.Equal(t, l.didit.sessions[1].id, l.state().SessionID)
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
}

// Events of sessions that are not ours change nothing, whatever reaches the run.
func TestForeignSessions(t *testing.T) {
	theirs := json.RawMessage(`{"kyc_deployment":"elsewhere","temporal_run_id":"0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10","attempt":1}`)
	for name, metadata := range map[string]json.RawMessage{"another deployment's": theirs, "none": nil, "in text": json.RawMessage(`"x"`)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			foreign := step{time.Minute, func(l *life) {
				s := l.didit.add(flow, user, metadata, approved)
				l.env.SignalWorkflow(kyc.SignalDiditEvent, l.event(s, approved))
			}}
			l := lives(t, patient, foreign, step{2 * time.Hour, func(l *life) { require.Equal(t, notStarted, l.state().Status) }})
			require.Equal(t, l.didit.sessions[0].id, l.state().SessionID)
			require.Empty(t, l.results)
		})
	}
}

// Another program may overwrite the metadata of a session that the run knows.
func TestASessionWhoseMetadataIsOverwrittenStaysOurs(t *testing.T) {
	for name, metadata := range map[string]json.RawMessage{"another's": json.RawMessage(`{"kyc_deployment":"elsewhere"}`), "none": nil, "null": json.RawMessage("null")} {
		l := lives(t, patient, step{time.Minute, func(l *life) { l.newest().metadata = metadata }}, changes(time.Hour, approved), changes(2*time.Hour, declined))
		require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome, name)
		require.Equal(t, []string{"verification.completed Approved", "verification.changed Declined"}, l.posted(), name)
	}
}

// A late update of a user of whom nothing is known, as after an erasure, leaves no trace.
func TestALateUpdateOfAnUnknownUserLeavesNoTrace(t *testing.T) {
	for name, erased := range map[string]bool{"erased": true, "never seen": false} {
		l := newLife(t, usual)
		l.erased = erased
		l.follow(step{0, func(l *life) {
			l.run(kyc.Input{UserID: user, Resume: true}, func() {
				l.env.SignalWorkflow(kyc.SignalDiditEvent, kyc.DiditEvent{EventID: "e1", Type: didit.EventStatusUpdated, SessionID: sessionID(9), Status: approved, CreatedAt: 1})
			})
		}})
		require.Zero(t, l.state(), name)
		require.Empty(t, l.results)
		require.Equal(t, erased, l.forgotten, name)
	}
}

// A run that an event began and that is cancelled at once in Temporal ends with a state, and the next START reads Didit's.
func TestARunThatIsCancelledAtOnceHasAState(t *testing.T) {
	l := lives(t, usual, changes(time.Minute, approved), loses(time.Hour, declined), step{time.Hour, func(l *life) {
		l.run(kyc.Input{UserID: user, Resume: true}, func() { l.env.CancelWorkflow() })
		require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
	}}, again(2*time.Hour, kyc.Input{}, nil))
	require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome)
	require.Equal(t, []string{"verification.completed Approved", "verification.changed Approved", "verification.changed Declined"}, l.posted())
}

// An operator's buttons are ordinary life: the next START or webhook leads back to Didit's truth, with one session.
func TestAfterATermination(t *testing.T) {
	terminates := func(at time.Duration) step { return step{at, func(l *life) { l.terminate() }} }
	for name, tc := range map[string]struct {
		steps    []step
		reported []string
	}{
		"of a run that waits, then a webhook":         {[]step{terminates(time.Minute), changes(time.Hour, approved)}, []string{"verification.completed Approved"}},
		"of a run that waits, then a START":           {[]step{terminates(time.Minute), loses(time.Hour, approved), again(2*time.Hour, kyc.Input{}, nil)}, []string{"verification.completed Approved"}},
		"of a run that reports, then a START":         {[]step{down(time.Minute, time.Hour), changes(time.Minute, approved), terminates(2 * time.Minute), again(2*time.Hour, kyc.Input{}, nil)}, []string{"verification.changed Approved"}},
		"of a run that has reported, then a repeat":   {[]step{changes(time.Minute, inReview), terminates(time.Hour), webhookOnly(2*time.Hour, inReview), changes(3*time.Hour, approved)}, []string{"verification.in_review In Review", "verification.completed Approved"}},
		"and everything is forgotten, then a webhook": {[]step{changes(time.Minute, approved), {time.Hour, func(l *life) { l.terminate(); l.past = nil }}, changes(2*time.Hour, declined)}, []string{"verification.completed Approved", "verification.changed Declined"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lives(t, usual, tc.steps...)
			require.Len(t, l.didit.sessions, 1, "no second session is paid")
			require.Equal(t, l.newest().status, l.state().Status)
			require.Equal(t, tc.reported, l.posted())
		})
	}
}

// A START that is invalid does not hide the verdict of the run before.
func TestAnInvalidStartHidesNoVerdict(t *testing.T) {
	invalid := kyc.Input{UserID: user, Priority: "high"}
	l := afterwards(t, step{day, func(l *life) { l.run(invalid, nil) }})
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
	for name, in := range map[string]kyc.Input{"of a new user": invalid, "no user": {}, "an e-mail address": {UserID: "a@b.example"}, "another workflow's user": {UserID: "u2"}} {
		l := newLife(t, usual)
		l.then(0, func() { l.run(in, nil) })
		l.live()
		require.Equal(t, kyc.ErrorTypeInvalidInput, typeOf(l.latest.GetWorkflowError()), name)
	}
}

func TestAnEventOfASessionThatATerminatedRunDidNotLearnOfIsFollowed(t *testing.T) {
	t.Parallel()
	l := newLife(t, usual).failing("created", nil, errLost)
	l.follow(start(nil), changes(time.Hour, expired), again(2*time.Hour, kyc.Input{}, nil),
		step{2*time.Hour + time.Second, (*life).terminate}, changes(3*time.Hour, inProgress))
	require.Equal(t, l.newest().id, l.state().SessionID)
	require.Equal(t, inProgress, l.state().Status)
}

// Temporal's buttons end the run that an event began, while Didit's decision does not show yet what the event says.
func TestARunAfterAButtonSeesWhatDiditShowsLate(t *testing.T) {
	t.Parallel()
	for name, follows := range map[string]step{
		"START": again(2*time.Hour+time.Second, kyc.Input{}, nil),
		"Start Workflow Like This One": {2*time.Hour + time.Second, func(l *life) {
			l.run(kyc.Input{UserID: user, Resume: true}, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, usual)
			l.didit.shown = func(s *fakeSession) didit.Status {
				if s.status == inReview && l.clock().Before(l.start.Add(2*time.Hour+30*time.Second)) {
					return approved
				}
				return s.status
			}
			l.follow(start(nil), changes(time.Hour, approved), changes(2*time.Hour, inReview), step{2 * time.Hour, (*life).terminate}, follows, waits(3*time.Hour))
			require.Equal(t, inReview, l.state().Status)
		})
	}
}
