package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestCancel(t *testing.T) {
	for name, tc := range map[string]struct {
		before  []step
		call    string // what fails, for ever
		want    kyc.Outcome
		deleted bool
		page    string
	}{
		"before the link is opened":      {nil, "", kyc.OutcomeCancelled, true, "is deleted at Didit"},
		"while the person is at it":      {[]step{changes(time.Minute, inProgress)}, "", kyc.OutcomeCancelled, false, "its session stays at Didit"},
		"opened, and the webhook lost":   {[]step{loses(time.Minute, inProgress)}, "", kyc.OutcomeCancelled, false, "its session stays at Didit"},
		"in review":                      {[]step{changes(time.Minute, inReview)}, "", kyc.OutcomeCancelled, false, "its session stays at Didit"},
		"asked again":                    {[]step{changes(time.Minute, resubmitted)}, "", kyc.OutcomeCancelled, false, "its session stays at Didit"},
		"decided, and the webhook lost":  {[]step{loses(time.Minute, approved)}, "", kyc.OutcomeApproved, false, ""},
		"the decision is not about us":   {[]step{{time.Minute, func(l *life) { l.newest().vendor = "another" }}}, "", kyc.OutcomeCancelled, false, "its session stays at Didit"},
		"Didit has deleted it":           {[]step{{time.Minute, func(l *life) { l.newest().deleted = true }}}, "", kyc.OutcomeCancelled, true, "Didit had deleted"},
		"Didit does not let it go":       {nil, "delete", kyc.OutcomeCancelled, false, "Didit did not answer"},
		"Didit does not answer any more": {nil, "read", kyc.OutcomeCancelled, false, "Didit did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, page := &reply{}, ""
			l := newLife(t, patient)
			l.failing(tc.call, times(99, answered(401))...)
			l.follow(append(append([]step{start(nil)}, tc.before...), asks(time.Hour, kyc.UpdateCancel, jo, r),
				step{time.Hour + 11*time.Minute, func(l *life) { page = l.details() }})...)
			require.Equal(t, tc.want, l.state().Outcome)
			require.Equal(t, tc.deleted, l.newest().deleted)
			require.True(t, r.done)
			require.Equal(t, tc.want, l.results[len(l.results)-1].Data.Outcome)
			if tc.want == kyc.OutcomeCancelled {
				require.NoError(t, r.err)
				require.True(t, l.state().SameAs(r.state))
				require.Contains(t, page, "**Cancelled** by jo")
				require.Contains(t, page, tc.page)
			} else {
				require.ErrorContains(t, r.err, "has ended: approved")
			}
		})
	}
}

// Before there is a session, a cancel finds out what Didit may have made, and leaves nothing behind.
func TestCancelBeforeTheSession(t *testing.T) {
	for name, tc := range map[string]struct {
		begin   func(*life)
		at      time.Duration
		session bool // Didit makes one
	}{
		"before the first step":        {func(l *life) {}, 0, true},
		"in the queue":                 {func(l *life) { l.slow(l.acts.CreateSession, lasting(2*time.Hour)) }, time.Hour, false},
		"Didit takes no calls":         {func(l *life) { l.failing("create", times(9, answered(429))...) }, 3 * time.Minute, false},
		"Didit is closed":              {func(l *life) { l.failing("create", times(9, answered(503))...) }, 3 * time.Minute, false},
		"between two tries":            {func(l *life) { l.failing("create", answered(503)) }, 2 * time.Second, false},
		"the answer was lost":          {func(l *life) { l.failing("created", errLost) }, 2 * time.Second, true},
		"lost, and lost when asked by": {func(l *life) { l.failing("created", times(3, errLost)...) }, 2 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			r, l := &reply{}, newLife(t, patient)
			tc.begin(l)
			l.follow(start(&a), asks(tc.at, kyc.UpdateCancel, jo, r), waits(4*time.Hour))
			require.NoError(t, r.err)
			require.Equal(t, kyc.OutcomeCancelled, r.state.Outcome)
			require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
			if len(l.didit.sessions) > 0 {
				require.True(t, l.newest().deleted, "a session that the person cannot reach stays at Didit")
			}
			require.Len(t, l.results, 1)
			if a.session.URL == "" {
				require.Equal(t, kyc.ErrorTypeCancelled, typeOf(a.err))
			}
		})
	}
}

func TestTwoCancels(t *testing.T) {
	a, b := &reply{}, &reply{}
	l := lives(t, patient, asks(time.Hour, kyc.UpdateCancel, jo, a), asks(time.Hour, kyc.UpdateCancel, kyc.Operator{Actor: "al", Reason: "typo:1"}, b))
	require.NoError(t, a.err)
	require.NoError(t, b.err)
	require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
	require.Len(t, l.results, 1)
}

// The verdict comes while the cancel reads the decision: it must not be lost.
func TestAVerdictThatComesWhileCancellingTakesPrecedence(t *testing.T) {
	r, l := &reply{}, newLife(t, patient)
	l.slow(l.acts.ReadDecision, lasting(10*time.Second))
	l.follow(start(nil), changes(time.Minute, inProgress), asks(time.Hour, kyc.UpdateCancel, jo, r), changes(time.Hour+5*time.Second, approved))
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	require.ErrorContains(t, r.err, "has ended: approved")
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
}

func TestCancelDoesNotWaitForDiditForEver(t *testing.T) {
	r, l := &reply{}, newLife(t, patient)
	l.slow(l.acts.ReadDecision, lasting(2*time.Hour))
	l.follow(start(nil), asks(time.Hour, kyc.UpdateCancel, jo, r), step{time.Hour + 10*time.Minute - time.Second, func(*life) { require.False(t, r.done) }},
		step{time.Hour + 10*time.Minute + time.Second, func(*life) { require.True(t, r.done) }})
	require.NoError(t, r.err)
	require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
}

// A cancel that came too late is over. When Didit takes the verdict back, another one is heard.
func TestACancelThatCameTooLateDoesNotLinger(t *testing.T) {
	first, second, page := &reply{}, &reply{}, ""
	l := lives(t, usual, loses(time.Minute, approved), down(2*time.Minute, 7*time.Minute), asks(2*time.Minute, kyc.UpdateCancel, jo, first),
		changes(4*time.Minute, inReview), step{5 * time.Minute, func(l *life) { page = l.details() }}, asks(6*time.Minute, kyc.UpdateCancel, jo, second), waits(time.Hour))
	require.ErrorContains(t, first.err, "has ended: approved")
	require.Contains(t, page, "**In review**")
	require.True(t, second.done)
	require.NoError(t, second.err)
	require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
}

// What Didit says of a session after its verification was cancelled is reported only if it is a verdict.
func TestOnlyAVerdictTakesPrecedenceOverACancel(t *testing.T) {
	for _, late := range []struct {
		to       []step
		want     kyc.Outcome
		reported string
	}{
		{[]step{changes(3*time.Hour, awaitingUser)}, kyc.OutcomeCancelled, ""},
		{[]step{changes(3*time.Hour, inReview)}, kyc.OutcomeCancelled, ""},
		{[]step{changes(3*time.Hour, resubmitted)}, kyc.OutcomeCancelled, ""},
		{[]step{changes(3*time.Hour, abandoned)}, kyc.OutcomeCancelled, ""},
		{[]step{changes(3*time.Hour, approved)}, kyc.OutcomeApproved, "verification.changed Approved"},
		{[]step{changes(3*time.Hour, inReview), changes(4*time.Hour, declined)}, kyc.OutcomeDeclined, "verification.changed Declined"},
	} {
		for name, wait := range map[string]time.Duration{"closed": 0, "open, as the callback endpoint is down": 5 * time.Minute} {
			t.Run(last(late.to)+" "+name, func(t *testing.T) {
				t.Parallel()
				steps := []step{changes(time.Minute, inProgress), down(2*time.Hour, wait), asks(2*time.Hour, kyc.UpdateCancel, jo, &reply{})}
				l := lives(t, usual, append(steps, late.to...)...)
				require.Equal(t, late.want, l.state().Outcome)
				want := []string{"verification.completed In Progress"}
				if late.reported != "" {
					want = append(want, late.reported)
				}
				require.Equal(t, want, l.posted())
			})
		}
	}
}

func last(steps []step) string { return steps[len(steps)-1].at.String() }

// Temporal's own button waits for nothing, and is reported too.
func TestCancelledInTemporal(t *testing.T) {
	for name, tc := range map[string]struct {
		begin    func(*life)
		steps    []step
		want     kyc.Outcome
		reported []string
	}{
		"in the queue":   {func(l *life) { l.slow(l.acts.CreateSession, lasting(2*time.Hour)) }, []step{presses(time.Hour)}, kyc.OutcomeCancelled, []string{"verification.completed "}},
		"with a session": {func(*life) {}, []step{presses(time.Hour)}, kyc.OutcomeCancelled, []string{"verification.completed Not Started"}},
		"in review":      {func(*life) {}, []step{changes(time.Minute, inReview), presses(time.Hour)}, kyc.OutcomeCancelled, []string{"verification.in_review In Review", "verification.completed In Review"}},
		"while the decision is read": {func(l *life) { l.slow(l.acts.ReadDecision, lasting(time.Hour)) },
			[]step{changes(time.Minute, approved), presses(2 * time.Minute)}, kyc.OutcomeCancelled, []string{"verification.completed Not Started"}},
		"decided, and being reported": {func(*life) {}, []step{down(time.Minute, 7*time.Minute), changes(time.Minute, approved), presses(2 * time.Minute), changes(4*time.Minute, declined)},
			kyc.OutcomeDeclined, []string{"verification.completed Approved", "verification.changed Declined"}},
		"and then the verdict": {func(*life) {}, []step{down(time.Minute, 7*time.Minute), presses(time.Minute), changes(4*time.Minute, inProgress), changes(5*time.Minute, approved)},
			kyc.OutcomeApproved, []string{"verification.completed Not Started", "verification.changed Approved"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			l := newLife(t, patient)
			tc.begin(l)
			l.follow(append([]step{start(&a)}, append(tc.steps, waits(5*time.Hour))...)...)
			require.Equal(t, tc.want, l.state().Outcome)
			require.ElementsMatch(t, tc.reported, l.posted())
			if a.session.URL == "" {
				require.Equal(t, kyc.ErrorTypeCancelled, typeOf(a.err))
			}
		})
	}
}

func TestRefreshReadsTheDecisionNow(t *testing.T) {
	first, second := &reply{}, &reply{}
	l := lives(t, patient, loses(time.Minute, inReview), asks(time.Hour, kyc.UpdateRefresh, jo, first), loses(3*time.Hour, approved),
		step{3 * time.Hour, func(l *life) { require.Equal(t, inReview, l.state().Status) }}, asks(4*time.Hour, kyc.UpdateRefresh, jo, second))
	require.NoError(t, first.err)
	require.Equal(t, inReview, first.state.Status)
	require.Equal(t, kyc.OutcomeApproved, second.state.Outcome)
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	require.Len(t, l.didit.reads, 2, "no read but those that were asked for")
}

func TestARefreshSaysThatTheDecisionCannotBeUsed(t *testing.T) {
	r := &reply{}
	lives(t, patient, step{time.Minute, func(l *life) { l.newest().vendor = "another" }}, asks(time.Hour, kyc.UpdateRefresh, jo, r))
	require.Equal(t, kyc.ErrorTypeRefused, typeOf(r.err))
}

func TestUpdatesThatAreRefused(t *testing.T) {
	erasure := kyc.EraseRequest{Operator: jo, OperationID: kyc.OperationID(user, kyc.VerbErase, sessionID(1))}
	anothers := kyc.EraseRequest{Operator: jo, OperationID: kyc.OperationID("u2", kyc.VerbErase, sessionID(1))}
	for name, tc := range map[string]struct {
		at     time.Duration // the session is there after an hour, the verdict after two
		update string
		arg    any
		kind   string
		text   string
	}{
		"a refresh without a session":     {time.Minute, kyc.UpdateRefresh, jo, kyc.ErrorTypeRefused, "no session at Didit yet"},
		"a refresh without actor":         {90 * time.Minute, kyc.UpdateRefresh, kyc.Operator{Reason: "a:1"}, kyc.ErrorTypeInvalidInput, "actor: want 1 to 64"},
		"a cancel in prose":               {90 * time.Minute, kyc.UpdateCancel, kyc.Operator{Actor: "jo", Reason: "he looks odd"}, kyc.ErrorTypeInvalidInput, "never free text about a person"},
		"a cancel after the verdict":      {121 * time.Minute, kyc.UpdateCancel, jo, kyc.ErrorTypeRefused, "has ended: approved"},
		"a refresh after the verdict":     {121 * time.Minute, kyc.UpdateRefresh, jo, kyc.ErrorTypeRefused, "has ended: approved"},
		"an erasure that is typed":        {90 * time.Minute, kyc.UpdateErase, jo, kyc.ErrorTypeInvalidInput, "start an Operation with the verb erase"},
		"an erasure of another user":      {90 * time.Minute, kyc.UpdateErase, anothers, kyc.ErrorTypeInvalidInput, "start an Operation"},
		"a session of an e-mail address":  {90 * time.Minute, kyc.UpdateSession, kyc.Input{UserID: "jo@shop.example"}, kyc.ErrorTypeInvalidInput, "never an e-mail address"},
		"a session of another user":       {90 * time.Minute, kyc.UpdateSession, kyc.Input{UserID: "u2"}, kyc.ErrorTypeInvalidInput, "not the user of this workflow"},
		"a session with another scheme":   {90 * time.Minute, kyc.UpdateSession, kyc.Input{UserID: user, ReturnURL: "javascript:alert(1)"}, kyc.ErrorTypeInvalidInput, "return_url"},
		"a session with an unknown class": {time.Minute, kyc.UpdateSession, kyc.Input{UserID: user, Priority: "high"}, kyc.ErrorTypeInvalidInput, "priority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, l := &reply{}, newLife(t, patient)
			l.slow(l.acts.CreateSession, lasting(time.Hour))
			ask := asks(tc.at, tc.update, tc.arg, r)
			steps := []step{start(nil), down(2*time.Hour, 5*time.Minute), changes(2*time.Hour, approved)}
			if tc.at < 2*time.Hour {
				steps = []step{start(nil), ask, down(2*time.Hour, 5*time.Minute), changes(2*time.Hour, approved)}
			} else {
				steps = append(steps, ask)
			}
			l.follow(steps...)
			require.Equal(t, tc.kind, typeOf(r.err))
			require.ErrorContains(t, r.err, tc.text)
			require.NotContains(t, r.err.Error(), "odd")
			require.Equal(t, kyc.OutcomeApproved, l.state().Outcome, "the verification goes on")
		})
	}
	require.NoError(t, erasure.Validate(user))
}

func erases(at time.Duration, r *reply) step {
	return asks(at, kyc.UpdateErase, kyc.EraseRequest{Operator: jo, OperationID: kyc.OperationID(user, kyc.VerbErase, sessionID(1))}, r)
}

// An open verification, whatever it waits for, ends as erased, asks Didit nothing more and makes no session after that.
func TestAnOpenVerificationIsErased(t *testing.T) {
	for name, tc := range map[string]struct {
		begin func(*life)
		steps []step
		waits time.Duration
	}{
		"before the link is opened":           {func(*life) {}, nil, 0},
		"while the person is at it":           {func(*life) {}, []step{changes(time.Minute, inProgress)}, 0},
		"in review":                           {func(*life) {}, []step{changes(time.Minute, inReview)}, 0},
		"asked again":                         {func(*life) {}, []step{changes(time.Minute, resubmitted)}, 0},
		"decided, and the webhook on its way": {func(*life) {}, []step{loses(time.Minute, approved)}, 0},
		"in the queue":                        {func(l *life) { l.slow(l.acts.CreateSession, lasting(4*time.Hour)) }, nil, 0},
		"the decision is read":                {func(l *life) { l.slow(l.acts.ReadDecision, lasting(4*time.Hour)) }, []step{changes(time.Minute, approved)}, 0},
		"a create whose answer was lost": {func(l *life) {
			l.failing("created", times(9, errLost)...).slow(l.acts.CreateSession, lasting(time.Hour-time.Second))
		}, nil, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			r, l := &reply{}, newLife(t, patient)
			tc.begin(l)
			reads := 0
			l.follow(append([]step{start(&a)}, append(tc.steps, step{time.Hour, func(l *life) { reads = len(l.didit.reads) }}, erases(time.Hour, r),
				hearsOpen(time.Hour+time.Second, approved))...)...)
			ended := l.past[0].State.UpdatedAt.Sub(l.start)
			require.NoError(t, r.err)
			require.Equal(t, kyc.OutcomeErased, r.state.Outcome)
			require.Equal(t, kyc.OutcomeErased, l.past[0].State.Outcome)
			require.Len(t, l.didit.reads, reads)
			require.LessOrEqual(t, len(l.didit.sessions), 1)
			require.GreaterOrEqual(t, ended, time.Hour+tc.waits)
			require.Equal(t, kyc.OutcomeErased, l.results[len(l.results)-1].Data.Outcome)
			if a.session.URL == "" {
				require.Equal(t, kyc.ErrorTypeErased, typeOf(a.err))
			}
		})
	}
}

// hearsOpen is a webhook for the open run, if there is one: after an erasure nothing is known of the user any more.
func hearsOpen(at time.Duration, s didit.Status) step {
	return step{at, func(l *life) {
		if l.env != nil && len(l.didit.sessions) > 0 {
			l.webhook(l.event(l.newest(), s))
		}
	}}
}

// A cancel that waits for Didit keeps no erasure waiting.
func TestAnErasureOvertakesACancel(t *testing.T) {
	cancelled, erased, l := &reply{}, &reply{}, newLife(t, patient)
	l.slow(l.acts.ReadDecision, lasting(2*time.Hour))
	l.follow(start(nil), asks(time.Hour, kyc.UpdateCancel, jo, cancelled), erases(time.Hour+time.Minute, erased),
		step{time.Hour + time.Minute + time.Second, func(l *life) { require.True(t, erased.done && cancelled.done) }})
	require.NoError(t, erased.err)
	require.ErrorContains(t, cancelled.err, "has ended: erased")
	require.Equal(t, kyc.OutcomeErased, l.state().Outcome)
}

// While an erased run still reports its end it takes no request for a session.
func TestAnErasedRunMakesNoSession(t *testing.T) {
	var a *answer
	l := lives(t, patient, down(time.Hour, 5*time.Minute), erases(time.Hour, &reply{}), again(time.Hour+time.Minute, kyc.Input{}, &a))
	require.Equal(t, kyc.ErrorTypeErased, typeOf(a.err))
	require.Len(t, l.didit.sessions, 1)
}

func TestAVerdictThatDiditDoesNotShowYetIsStrongerThanACancellation(t *testing.T) {
	t.Parallel()
	l, r := newLife(t, usual), &reply{}
	l.didit.shown = func(s *fakeSession) didit.Status {
		if l.clock().Before(l.start.Add(time.Hour + 20*time.Second)) {
			return inProgress
		}
		return s.status
	}
	l.follow(start(nil), changes(time.Minute, inProgress), changes(time.Hour, declined),
		asks(time.Hour+time.Second, kyc.UpdateCancel, jo, r), waits(2*time.Hour))
	require.Equal(t, kyc.OutcomeCancelled, r.state.Outcome)
	require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome)
	require.Equal(t, []string{"verification.completed In Progress", "verification.changed Declined"}, l.posted())
}

// A run that is cancelled in Temporal stays open until its last callback is delivered, and answers callers meanwhile.
func TestTemporalsCancelAnswersCallers(t *testing.T) {
	for name, tc := range map[string]struct {
		begin func(*life)
		at    time.Duration
	}{
		"before a START":                       {func(*life) {}, time.Minute},
		"at the same time as a START":          {func(*life) {}, 2 * time.Minute},
		"before a START, during a late update": {func(l *life) { l.slow(l.acts.ReadDecision, lasting(10*time.Second)) }, 119 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			refreshed, cancelled, l := &reply{}, &reply{}, newLife(t, patient)
			tc.begin(l)
			l.follow(start(nil), down(30*time.Second, 5*time.Minute), changes(59*time.Second, inProgress), presses(tc.at),
				again(2*time.Minute, kyc.Input{}, &a), asks(3*time.Minute, kyc.UpdateRefresh, jo, refreshed), asks(4*time.Minute, kyc.UpdateCancel, jo, cancelled), waits(time.Hour))
			require.NoError(t, a.err)
			require.Equal(t, link(l.newest()), a.session.URL)
			require.NoError(t, refreshed.err)
			require.NoError(t, cancelled.err)
			require.Equal(t, kyc.OutcomeCancelled, l.state().Outcome)
			require.Equal(t, 1, l.runs)
		})
	}
}
