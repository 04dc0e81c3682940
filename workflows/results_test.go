package workflows_test

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// moved are webhooks of moves that are made an hour apart.
func moved(statuses ...didit.Status) (steps []step) {
	for i, s := range statuses {
		steps = append(steps, changes(time.Duration(i+1)*time.Hour, s))
	}
	return steps
}

func TestEachStepIsReported(t *testing.T) {
	for name, tc := range map[string]struct {
		steps []step
		want  []string
	}{
		"approved": {moved(inProgress, approved), []string{"verification.completed Approved"}},
		"asked again, then approved": {moved(inReview, resubmitted, inProgress, inReview, approved), []string{
			"verification.in_review In Review", "verification.resubmitted Resubmitted", "verification.in_review In Review", "verification.completed Approved",
		}},
		"a company in review twice":     {moved(inReview, awaitingUser, inReview, declined), []string{"verification.in_review In Review", "verification.completed Declined"}},
		"expired":                       {moved(expired), []string{"verification.completed Expired"}},
		"never came":                    {[]step{waits(2 * deadline)}, []string{"verification.completed Not Started"}},
		"begun and left":                {append(moved(inProgress), waits(2*deadline)), []string{"verification.completed In Progress"}},
		"changed by a reviewer later":   {moved(approved, inReview, declined), []string{"verification.completed Approved", "verification.changed In Review", "verification.changed Declined"}},
		"lapsed":                        {moved(approved, kycExpired), []string{"verification.completed Approved", "verification.changed Kyc Expired"}},
		"asked again after a verdict":   {moved(declined, resubmitted, inProgress, approved), []string{"verification.completed Declined", "verification.changed Resubmitted", "verification.changed In Progress", "verification.changed Approved"}},
		"there and back while unseen":   {[]step{changes(time.Hour, approved), loses(2*time.Hour, declined), changes(3*time.Hour, approved)}, []string{"verification.completed Approved"}},
		"a review after an old verdict": {moved(abandoned, inReview, approved), []string{"verification.completed Abandoned", "verification.changed In Review", "verification.changed Approved"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lives(t, patient, tc.steps...)
			require.Equal(t, tc.want, l.posted())
			require.True(t, l.results[len(l.results)-1].Data.SameAs(l.state()))
			requireOrdered(t, l)
		})
	}
}

// requireOrdered is what an endpoint relies on.
func requireOrdered(t *testing.T, l *life) {
	t.Helper()
	for i := range l.results[1:] {
		require.True(t, l.results[i+1].Data.UpdatedAt.After(l.results[i].Data.UpdatedAt), "results can be ordered by updated_at")
	}
}

// The first try is local: where it succeeds, the history gets no activity for it.
func TestTheFirstTryOfAResultIsLocal(t *testing.T) {
	for name, want := range map[string]int{"up": 0, "down": 1} {
		l, n := newLife(t, patient), 0
		l.counting("SendResult", &n)
		steps := []step{start(nil), changes(time.Hour, approved)}
		if name == "down" {
			steps = []step{start(nil), down(time.Hour, 5*time.Minute), changes(time.Hour, approved)}
		}
		l.follow(steps...)
		require.Len(t, l.results, 1)
		require.Equal(t, want, n, name)
	}
}

func TestWithoutACallbackEndpointNothingIsReported(t *testing.T) {
	l := newLife(t, patient)
	l.acts.Callbacks = nil
	l.follow(append([]step{start(nil)}, moved(inReview, approved, declined)...)...)
	require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome)
	require.Empty(t, l.results)
	require.Equal(t, 2, l.runs, "the first run waits for no callback")
}

// Reporting a review does not hold up the verification, and the end waits for all that is pending.
func TestASlowEndpointDelaysNothing(t *testing.T) {
	l := lives(t, patient, down(time.Hour, 7*time.Minute), changes(time.Hour, inReview), changes(61*time.Minute, declined), step{62 * time.Minute, func(l *life) {
		require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome)
		require.NotNil(t, l.env)
		require.Contains(t, l.details(), "Delivering the callback")
	}})
	require.Equal(t, 1, l.runs)
	require.Equal(t, []string{"verification.completed Declined", "verification.in_review In Review"}, slices.Sorted(slices.Values(l.posted())))
	require.Equal(t, []any{"limit", "user", "review", "callback", ""}, l.column(kyc.AttributeWaitingFor))
}

// What comes while a result is being delivered is judged and reported too.
func TestAnEventDuringACallbackIsNotLost(t *testing.T) {
	for name, tc := range map[string]struct {
		later []didit.Status
		want  []string
	}{
		"the opposite verdict":        {[]didit.Status{declined}, []string{"verification.changed Declined"}},
		"the same verdict":            {[]didit.Status{approved}, nil},
		"there and back":              {[]didit.Status{declined, approved}, []string{"verification.changed Declined", "verification.changed Approved"}},
		"the verdict is taken back":   {[]didit.Status{inReview, declined}, []string{"verification.changed In Review", "verification.changed Declined"}},
		"the person must come back":   {[]didit.Status{resubmitted, approved}, []string{"verification.changed Resubmitted", "verification.changed Approved"}},
		"and then nothing came of it": {[]didit.Status{inReview, approved, kycExpired}, []string{"verification.changed In Review", "verification.changed Approved", "verification.changed Kyc Expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := []step{down(time.Hour, 6*time.Minute), changes(time.Hour, approved)}
			for i, s := range tc.later {
				steps = append(steps, changes(time.Hour+time.Duration(i+1)*time.Minute, s))
			}
			l := lives(t, patient, steps...)
			require.ElementsMatch(t, append([]string{"verification.completed Approved"}, tc.want...), l.posted())
			require.Equal(t, 1, l.runs)
			newest := l.results[0]
			for _, r := range l.results {
				if r.Data.UpdatedAt.After(newest.Data.UpdatedAt) {
					newest = r
				}
			}
			require.True(t, newest.Data.SameAs(l.state()))
		})
	}
}

// The person's time was up, and then Didit says that they go on: the state is older than what was reported.
func TestResultsAreOrderedWhereTheStateIsNot(t *testing.T) {
	l := lives(t, patient, changes(time.Hour, inProgress), step{deadline, func(l *life) { l.downUntil = l.clock().Add(6 * time.Minute) }},
		step{deadline + 2*time.Minute, func(l *life) { l.newest().status = awaitingUser }}, late(deadline+3*time.Minute, 2*time.Hour, awaitingUser), waits(3*deadline))
	require.Len(t, l.results, 3)
	byTime := map[time.Time]bool{}
	for _, r := range l.results {
		byTime[r.Data.UpdatedAt] = true
	}
	require.Len(t, byTime, 3)
	require.Equal(t, kyc.OutcomeAbandoned, l.state().Outcome)
}

// An endpoint that fails on the whole ladder gets one message: every try has one id and one body. The test environment
// tries an activity ten times.
func TestAnEndpointThatFailsTheWholeLadderGetsOneMessage(t *testing.T) {
	const failures = 10
	var ids, bodies []string
	effects := map[string]bool{}
	l := newLife(t, patient)
	l.acts.Callbacks.Around(func(http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (int, error) {
			body, err := io.ReadAll(r.Body)
			ids, bodies = append(ids, r.Header.Get("webhook-id")), append(bodies, string(body))
			effects[ids[len(ids)-1]] = true // it took the result, and failed to say so
			if len(ids)%3 == 0 {
				return 0, io.ErrUnexpectedEOF
			}
			if len(ids) <= failures {
				return http.StatusServiceUnavailable, err
			}
			return http.StatusNoContent, err
		})
	})
	l.follow(start(nil), changes(time.Hour, approved))
	require.Len(t, ids, failures+1)
	require.Len(t, effects, 1, "once, in effect")
	for i := range bodies {
		require.Equal(t, bodies[0], bodies[i])
	}
	silences := time.Second << (failures - 1) // less a second, the sum of 1, 2, 4 ... seconds
	require.GreaterOrEqual(t, l.past[0].State.UpdatedAt.Sub(l.start), time.Hour)
	require.GreaterOrEqual(t, l.latest.Now().Sub(l.start), time.Hour+silences-time.Second)
}

type transport func(*http.Request) (int, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	code, err := f(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: code, Body: http.NoBody, Header: http.Header{}}, nil
}

// A result that is never taken is given up after its window, or at once by a 410, and costs no verdict.
func TestAResultThatIsNotTaken(t *testing.T) {
	for kind, code := range map[string]int{kyc.ErrorTypeCallbackGone: http.StatusGone, kyc.ErrorTypeCallbackFailed: http.StatusServiceUnavailable} {
		t.Run(kind, func(t *testing.T) {
			l := newLife(t, patient)
			posts := 0
			l.acts.Callbacks.Around(func(http.RoundTripper) http.RoundTripper {
				return transport(func(*http.Request) (int, error) { posts++; return code, nil })
			})
			l.follow(start(nil), changes(time.Hour, approved), waits(5*day))
			require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
			require.Equal(t, 1, l.runs)
			require.False(t, l.terminated)
			require.Equal(t, []any{nil, kind}, l.column(kyc.AttributeErrorType))
			waited := []any{"limit", "user", "callback", ""}
			if code == http.StatusGone {
				waited = []any{"limit", "user", ""}
				require.Equal(t, 1, posts)
			}
			require.Equal(t, waited, l.column(kyc.AttributeWaitingFor))
			require.Contains(t, l.details(), "A callback was not delivered")
		})
	}
}

// A session that is deleted at Didit takes no verdict with it that was reported.
func TestAReportedVerdictOutlivesItsSession(t *testing.T) {
	deleted := step{2 * time.Hour, func(l *life) {
		ev := l.event(l.newest(), declined)
		l.newest().deleted = true
		l.webhook(ev)
	}}
	for name, wait := range map[string]time.Duration{"closed": 0, "open": 2 * time.Minute} {
		l := lives(t, patient, changes(time.Hour, approved), down(2*time.Hour-time.Minute, wait), deleted)
		require.Equal(t, kyc.OutcomeApproved, l.state().Outcome, name)
		require.Equal(t, []string{"verification.completed Approved"}, l.posted(), name)
	}
}

// A run that was reset learns from the answer to its first result what the run before reported, and reports only what
// differs.
func TestAResetRunReportsOnlyWhatDiffers(t *testing.T) {
	reported := kyc.State{UserID: user, SessionID: sessionID(1), WorkflowID: flow, Status: approved, Outcome: kyc.OutcomeApproved, Attempt: 1}
	for name, tc := range map[string]struct {
		truth didit.Status
		want  []string
	}{
		"nothing":       {approved, nil},
		"a verdict":     {declined, []string{"verification.changed Declined"}},
		"a new attempt": {resubmitted, []string{"verification.changed Resubmitted"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t, patient)
			l.past = []kyc.Snapshot{{State: reported, Reported: &reported}}
			l.terminated = true // there is a run before this one, but nothing keeps a START from beginning another
			l.acts.reset = true
			l.follow(start(nil), changes(time.Hour, tc.truth))
			require.Equal(t, tc.want, l.posted())
		})
	}
}

// An end that Didit does not know, such as a cancellation, is taken back by a reset, also where the reset cut off the record of
// what was posted.
func TestAResetRunTakesBackAnEndThatWasReported(t *testing.T) {
	reported := kyc.State{UserID: user, SessionID: sessionID(1), WorkflowID: flow, Status: notStarted, Outcome: kyc.OutcomeCancelled, Attempt: 1}
	for name, before := range map[string]kyc.Snapshot{
		"on record":    {State: reported, Reported: &reported},
		"maybe posted": {State: reported},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.past = []kyc.Snapshot{before}
			l.terminated, l.acts.reread = true, true
			l.follow(start(nil), changes(time.Hour, inProgress))
			require.Equal(t, []string{"verification.changed Not Started", "verification.changed In Progress"}, l.posted())
		})
	}
}

// A workflow task that the server refuses may have posted a result without a record. A result that says the same after other
// changes needs another id, or its reader drops it as a repeat.
func TestTheSequenceOfAResultCountsUnreportedChanges(t *testing.T) {
	l := lives(t, usual, changes(time.Minute, inProgress), changes(time.Hour, approved))
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
	require.Equal(t, 3, l.acts.sent[0].Sequence)
}
