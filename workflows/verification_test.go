package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestVerification(t *testing.T) {
	begins := changes(time.Minute, inProgress)
	for name, tc := range map[string]struct {
		steps  []step
		want   kyc.Outcome
		status didit.Status
		reads  int
	}{
		"approved":                                {[]step{begins, changes(2*time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
		"the only webhook that arrives says all":  {[]step{changes(time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
		"declined":                                {[]step{changes(time.Minute, declined)}, kyc.OutcomeDeclined, declined, 1},
		"expired at Didit":                        {[]step{changes(7*day, expired)}, kyc.OutcomeExpired, expired, 1},
		"abandoned at Didit":                      {[]step{changes(7*day, abandoned)}, kyc.OutcomeAbandoned, abandoned, 1},
		"the document expires before a read":      {[]step{changes(7*day, kycExpired)}, kyc.OutcomeLapsed, kycExpired, 1},
		"in review for a year, then approved":     {[]step{changes(time.Hour, inReview), changes(365*day, approved)}, kyc.OutcomeApproved, approved, 2},
		"asked again, then approved":              {[]step{changes(time.Hour, inReview), changes(2*time.Hour, resubmitted), changes(3*time.Hour, approved)}, kyc.OutcomeApproved, approved, 3},
		"being asked again gives more time":       {[]step{changes(deadline-time.Hour, resubmitted), changes(2*deadline-2*time.Hour, approved)}, kyc.OutcomeApproved, approved, 2},
		"asked again after a long review":         {[]step{changes(time.Hour, inReview), changes(2*deadline, resubmitted), changes(2*deadline+time.Hour, approved)}, kyc.OutcomeApproved, approved, 3},
		"asked again and never came back":         {[]step{changes(time.Hour, resubmitted), waits(2 * deadline)}, kyc.OutcomeAbandoned, resubmitted, 2},
		"the link is never opened":                {[]step{waits(2 * deadline)}, kyc.OutcomeExpired, notStarted, 1},
		"begun and left":                          {[]step{changes(time.Hour, inProgress), waits(2 * deadline)}, kyc.OutcomeAbandoned, inProgress, 1},
		"the last read finds a lost verdict":      {[]step{loses(time.Hour, approved), waits(2 * deadline)}, kyc.OutcomeApproved, approved, 1},
		"the last read finds a review":            {[]step{loses(time.Hour, inReview), changes(2*deadline, declined)}, kyc.OutcomeDeclined, declined, 2},
		"Didit does not confirm a hint":           {[]step{loses(time.Hour, inReview), webhookOnly(time.Hour, approved), changes(2*time.Hour, declined)}, kyc.OutcomeDeclined, declined, 1 + 4 + 1},
		"a hint from the future":                  {[]step{strange(time.Hour, 1<<53), changes(2*time.Hour, approved)}, kyc.OutcomeApproved, approved, 2},
		"an unknown status":                       {[]step{webhookOnly(time.Second, "Teleported"), begins, changes(2*time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
		"another kind of event":                   {[]step{otherKind(time.Second), begins, changes(2*time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
		"an older event that comes late":          {[]step{changes(time.Hour, inReview), late(2*time.Hour, time.Minute, inProgress), changes(3*time.Hour, approved)}, kyc.OutcomeApproved, approved, 2},
		"the same event many times":               {[]step{repeated(time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
		"verdict and start, in the wrong order":   {[]step{loses(time.Minute, approved), both(time.Minute, approved, inProgress)}, kyc.OutcomeApproved, approved, 1},
		"a user who is under way, and then again": {[]step{begins, webhookOnly(2*time.Minute, inProgress), changes(3*time.Minute, approved)}, kyc.OutcomeApproved, approved, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lives(t, patient, tc.steps...)
			got := l.state()
			require.Equal(t, tc.want, got.Outcome)
			require.Equal(t, tc.status, got.Status)
			require.Equal(t, l.newest().id, got.SessionID)
			require.Equal(t, flow, got.WorkflowID)
			require.Len(t, l.didit.reads, tc.reads)
			require.Len(t, l.didit.sessions, 1)
			require.Equal(t, 1, l.runs)
			require.True(t, l.results[len(l.results)-1].Data.SameAs(got))
		})
	}
}

// strange is an event whose time is not to be believed.
func strange(at time.Duration, created int64) step {
	return step{at, func(l *life) {
		ev := l.event(l.newest(), declined)
		ev.CreatedAt = created
		l.webhook(ev)
	}}
}

func otherKind(at time.Duration) step {
	return step{at, func(l *life) {
		ev := l.event(l.newest(), approved)
		ev.Type = "data.updated"
		l.webhook(ev)
	}}
}

// late is an event of something that happened long before.
func late(at, happened time.Duration, s didit.Status) step {
	return step{at, func(l *life) {
		ev := l.event(l.newest(), s)
		ev.CreatedAt = l.start.Add(happened).Unix()
		l.webhook(ev)
	}}
}

func repeated(at time.Duration, s didit.Status) step {
	return step{at, func(l *life) {
		l.newest().status = s
		ev := l.event(l.newest(), s)
		for range 4 {
			l.env.SignalWorkflow(kyc.SignalDiditEvent, ev)
		}
	}}
}

// both are two events that arrive in one workflow task.
func both(at time.Duration, first, second didit.Status) step {
	return step{at, func(l *life) {
		l.env.SignalWorkflowSkippingWorkflowTask(kyc.SignalDiditEvent, l.event(l.newest(), first))
		l.env.SignalWorkflow(kyc.SignalDiditEvent, l.event(l.newest(), second))
	}}
}

func TestEveryResubmissionIsAnAttempt(t *testing.T) {
	var steps []step
	for i := range 5 {
		at := time.Duration(i+1) * time.Hour
		steps = append(steps, changes(at, resubmitted), changes(at+time.Minute, inReview))
	}
	l := lives(t, patient, append(steps, changes(10*time.Hour, approved))...)
	require.Equal(t, 6, l.state().Attempt)
}

// What an event claims is neither shown nor reported before Didit's decision confirms it.
func TestNothingIsReportedThatTheDecisionDidNotConfirm(t *testing.T) {
	l := lives(t, patient, webhookOnly(time.Hour, inReview), webhookOnly(2*time.Hour, resubmitted), webhookOnly(3*time.Hour, approved), step{4 * time.Hour, func(l *life) {
		require.Equal(t, []any{notStarted, kyc.Outcome(""), 1}, []any{l.state().Status, l.state().Outcome, l.state().Attempt})
	}})
	require.Empty(t, l.results)
}

func TestEventsBeforeTheSessionAreAppliedAfterIt(t *testing.T) {
	l := newLife(t, patient)
	l.slow(l.acts.CreateSession, lasting(time.Hour))
	l.follow(start(nil), step{time.Minute, func(l *life) {
		l.env.SignalWorkflow(kyc.SignalDiditEvent, kyc.DiditEvent{
			EventID: "e1", Type: didit.EventStatusUpdated, SessionID: sessionID(1), Status: inProgress, CreatedAt: l.clock().Unix(),
		})
	}}, step{2 * time.Hour, func(l *life) { require.Equal(t, inProgress, l.state().Status) }})
}

// The decision of a session is read 5, 10, 20 and 40 seconds later while it lags behind the webhook.
func TestADecisionThatLagsItsWebhookIsFoundSecondsLater(t *testing.T) {
	for _, lag := range []time.Duration{4 * time.Second, 14 * time.Second, 34 * time.Second, 74 * time.Second} {
		until := time.Time{}
		l := newLife(t, patient)
		l.didit.shown = func(s *fakeSession) didit.Status {
			if l.clock().Before(until) {
				return inProgress
			}
			return s.status
		}
		l.follow(start(nil), step{time.Minute, func(l *life) { until = l.clock().Add(lag) }}, changes(time.Minute, approved),
			step{time.Minute + lag + 2*time.Second, func(l *life) { require.Equal(t, kyc.OutcomeApproved, l.state().Outcome, lag) }})
	}
}

// What an event means may be clear only after another one that comes while the decision is being read.
func TestAnEventDuringTheLastReadIsReadToo(t *testing.T) {
	for name, tc := range map[string]struct {
		newer  didit.Status
		second time.Duration // when it happened; the verdict that is being read happened in second 60
		want   kyc.Outcome
	}{
		"the opposite verdict":            {declined, 65 * time.Second, kyc.OutcomeDeclined},
		"the opposite in the same second": {declined, time.Minute, kyc.OutcomeDeclined},
		"the document expires":            {kycExpired, 65 * time.Second, kyc.OutcomeLapsed},
		"asked again":                     {resubmitted, 65 * time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, patient)
			l.slow(l.acts.ReadDecision, lasting(10*time.Second))
			l.follow(start(nil), changes(time.Minute, approved), loses(65*time.Second, tc.newer), late(66*time.Second, tc.second, tc.newer))
			require.Equal(t, tc.newer, l.state().Status)
			require.Equal(t, tc.want, l.state().Outcome)
			require.Equal(t, 1, l.runs)
		})
	}
}

func TestAVerdictWhoseWebhooksAreAllLostIsFound(t *testing.T) {
	for _, truth := range []didit.Status{approved, declined, expired, abandoned, kycExpired} {
		l := lives(t, usual, loses(2*time.Hour, truth))
		require.Equal(t, truth, l.state().Status)
		require.Len(t, l.didit.reads, 3, "after 17, 52 and 121 minutes")
	}
}

// A quarter of an hour after a person has begun, all webhooks of a quick verdict have come or are lost.
func TestDiditIsPolledSoonAfterThePersonHasBegun(t *testing.T) {
	l := lives(t, usual, changes(20*time.Hour, inProgress), loses(20*time.Hour+time.Minute, approved),
		step{20*time.Hour + 18*time.Minute, func(l *life) { require.Equal(t, kyc.OutcomeApproved, l.state().Outcome) }})
	require.Equal(t, 1, l.runs)
}

func TestADecisionThatCannotBeUsedEndsNothing(t *testing.T) {
	var page string
	l := lives(t, usual, step{time.Second, func(l *life) { l.newest().vendor = "another" }}, changes(time.Minute, approved),
		step{3 * deadline, func(l *life) {
			require.Empty(t, l.state().Outcome, "long after the person's time is up")
			page = l.details()
			l.newest().vendor = user
		}})
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	require.Contains(t, l.column(kyc.AttributeWaitingFor), "operator")
	require.Contains(t, page, "Needs an operator")
}

func TestAKeyThatIsFixedLaterFindsTheVerdict(t *testing.T) {
	l := newLife(t, patient).failing("read", times(8, answered(401))...)
	l.follow(start(nil), changes(time.Minute, approved))
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
}

func TestADeletedSessionEndsCancelled(t *testing.T) {
	for name, settings := range map[string][]step{
		"by a webhook": {step{time.Minute, func(l *life) {
			ev := l.event(l.newest(), approved)
			l.newest().deleted = true
			l.env.SignalWorkflow(kyc.SignalDiditEvent, ev)
		}}},
		"by a poll": {step{time.Minute, func(l *life) { l.newest().deleted = true }}},
	} {
		l := lives(t, usual, settings...)
		require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome, name)
		require.Equal(t, kyc.ErrorTypeNotFound, l.state().ErrorType, name)
	}
}

func TestASessionOutOfTheKeysSightIsWaitedFor(t *testing.T) {
	l := newLife(t, usual).failing("read", times(5, answered(404))...)
	l.follow(start(nil), changes(time.Minute, approved))
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
}

// Whichever of a session's events are lost, all of them included, its end is found before the interval is over that began
// with the last read.
func TestWhicheverEventsAreLostTheEndIsFoundWithinAnInterval(t *testing.T) {
	for _, path := range [][]didit.Status{
		{expired},
		{inProgress, approved},
		{inProgress, inReview, declined},
		{inProgress, inReview, resubmitted, approved},
		{inProgress, awaitingUser, inReview, resubmitted, declined},
		{inProgress, inReview, resubmitted, awaitingUser, inReview, approved},
		{inProgress, awaitingUser, inReview, resubmitted, inReview, resubmitted, declined},
		{inProgress, awaitingUser, inReview, resubmitted, awaitingUser, inReview, resubmitted, approved},
	} {
		for _, pace := range []time.Duration{40 * time.Second, 50 * time.Minute, 20 * time.Hour} {
			t.Run(fmt.Sprintf("%d events, one in %s", len(path), pace), func(t *testing.T) {
				t.Parallel()
				for mask := range 1 << len(path) {
					requireFound(t, path, pace, mask)
				}
			})
		}
	}
}

// requireFound delivers the events whose bits in mask are set.
func requireFound(t *testing.T, path []didit.Status, pace time.Duration, mask int) {
	t.Helper()
	steps, heardAt, resubmissions := []step{}, map[time.Duration]bool{}, 0
	for i, s := range path {
		at := time.Duration(i+1) * pace
		steps = append(steps, map[bool]step{true: changes(at, s), false: loses(at, s)}[mask>>i&1 == 1])
		heardAt[at] = mask>>i&1 == 1
		if s == resubmitted {
			resubmissions++
		}
	}
	l := lives(t, usual, steps...)
	got, about := l.state(), fmt.Sprintf("mask %08b of %q", mask, path)
	require.Equal(t, path[len(path)-1], got.Status, about)
	require.NotEmpty(t, got.Outcome, about)
	require.Equal(t, 1, l.runs, about)
	require.LessOrEqual(t, got.Attempt, 1+resubmissions, about)

	final := time.Duration(len(path)) * pace
	interval := 15 * time.Minute * 115 / 100
	for _, at := range l.didit.reads {
		if d := at.Sub(l.start); d < final && !heardAt[d] { // a poll that was due makes the interval longer
			interval = min(2*interval, 24*time.Hour*115/100)
		}
	}
	took := got.UpdatedAt.Sub(l.start) - final
	require.LessOrEqual(t, took, interval+time.Second, about)
	if heardAt[final] {
		require.LessOrEqual(t, took, time.Second, about)
	}
}
