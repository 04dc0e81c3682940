package workflows_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

const (
	user     = "u1"
	session  = "11111111-2222-4333-8444-555555555555"
	flow     = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	week     = 7 * 24 * time.Hour
	deadline = week + 24*time.Hour
	never    = 5 * 365 * 24 * time.Hour
	trouble  = 9 // calls that fail; the test environment, unlike the server, gives up after ten
)

var acts *activities.Activities

// terms without looks at Didit before the deadline, unless a test is about them.
var terms = activities.Terms{
	WorkflowID: flow, Environment: didit.EnvironmentLive, DeadlineSeconds: int64(deadline / time.Second),
	ReconcileSeconds: int64(never / time.Second), ReconcileMaxSeconds: int64(never / time.Second),
}

var made = activities.MadeSession{Terms: terms, Session: kyc.Session{
	SessionID: session, SessionToken: "token", URL: "https://didit.example/session/token", Status: didit.StatusNotStarted,
}}

// world is a Didit whose session has a true status, and a user's verification that hears of it.
type world struct {
	*testsuite.TestWorkflowEnvironment
	t        *testing.T
	truth    didit.Status
	reads    int
	warnings []string
	foreign  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, func(*testsuite.WorkflowTestSuite) {})
}

func newWorldOf(t *testing.T, adjust func(*testsuite.WorkflowTestSuite)) *world {
	t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	adjust(suite)
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &world{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, truth: didit.StatusNotStarted}
	w.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: kyc.WorkflowID(user), TaskQueue: kyc.TaskQueue})
	w.SetTestTimeout(time.Minute)
	w.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute}) // a second is short on a machine that is busy
	w.RegisterActivity(&activities.Activities{})
	w.RegisterWorkflowWithOptions(workflows.ResultDelivery, workflow.RegisterOptions{Name: kyc.WorkflowResultDelivery})
	return w
}

// creates lets Didit make the session.
func (w *world) creates() *world {
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(made, nil)
	return w
}

// decides lets Didit answer with its true status.
func (w *world) decides() *world {
	w.OnActivity(acts.ReadDecision, mock.Anything, activities.ReadDecisionInput{
		SessionID: session, UserID: user, WorkflowID: flow, Environment: didit.EnvironmentLive,
	}).Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
		w.reads++
		return activities.Decision{Status: w.truth, Warnings: w.warnings, Foreign: w.foreign,
			Checks: []kyc.Check{{Feature: "ID_VERIFICATION", Status: string(w.truth)}}}, nil
	})
	return w
}

// at changes Didit's truth after d and sends the event, if one is given.
func (w *world) at(d time.Duration, truth didit.Status, events ...kyc.DiditEvent) *world {
	w.RegisterDelayedCallback(func() {
		w.truth = truth
		for _, ev := range events {
			w.SignalWorkflow(kyc.SignalDiditEvent, ev)
		}
	}, d)
	return w
}

func (w *world) state() kyc.State {
	w.t.Helper()
	var s kyc.State
	answer, err := w.QueryWorkflow(kyc.QueryState)
	require.NoError(w.t, err)
	require.NoError(w.t, answer.Get(&s))
	return s
}

// run runs the verification to its end and returns the result.
func (w *world) run() kyc.State {
	w.t.Helper()
	w.ExecuteWorkflow(workflows.Verification, kyc.Input{UserID: user})
	require.True(w.t, w.IsWorkflowCompleted())
	require.NoError(w.t, w.GetWorkflowError())
	var s kyc.State
	require.NoError(w.t, w.GetWorkflowResult(&s))
	require.Equal(w.t, s, w.state(), "the query of a closed verification answers its result")
	return s
}

// ev is an event of our session that happened at the given second.
func ev(second int64, status didit.Status) kyc.DiditEvent {
	return kyc.DiditEvent{
		EventID: string(status) + time.Unix(second, 0).String(), Type: didit.EventStatusUpdated,
		SessionID: session, Status: status, CreatedAt: second,
	}
}

func TestVerification(t *testing.T) {
	approved := func(w *world) {
		w.at(time.Minute, didit.StatusInProgress, ev(1, didit.StatusInProgress)).
			at(2*time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	}
	for name, tc := range map[string]struct {
		story  func(*world)
		want   kyc.Outcome
		status didit.Status
		reads  int
	}{
		"approved":                               {approved, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"the only webhook that arrives says all": {func(w *world) { w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved)) }, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"declined":                               {func(w *world) { w.at(time.Minute, didit.StatusDeclined, ev(2, didit.StatusDeclined)) }, kyc.OutcomeDeclined, didit.StatusDeclined, 1},
		"expired at Didit":                       {func(w *world) { w.at(week, didit.StatusExpired, ev(9, didit.StatusExpired)) }, kyc.OutcomeExpired, didit.StatusExpired, 1},
		"abandoned at Didit":                     {func(w *world) { w.at(week, didit.StatusAbandoned, ev(9, didit.StatusAbandoned)) }, kyc.OutcomeAbandoned, didit.StatusAbandoned, 1},
		"the document expires before we look":    {func(w *world) { w.at(week, didit.StatusKycExpired, ev(9, didit.StatusKycExpired)) }, kyc.OutcomeLapsed, didit.StatusKycExpired, 1},
		"in review for a year, then approved": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview, ev(2, didit.StatusInReview)).
				at(365*24*time.Hour, didit.StatusApproved, ev(9, didit.StatusApproved))
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"asked again, then approved": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview, ev(2, didit.StatusInReview)).
				at(2*time.Hour, didit.StatusResubmitted, ev(3, didit.StatusResubmitted)).
				at(3*time.Hour, didit.StatusApproved, ev(4, didit.StatusApproved))
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"being asked again gives the user new time": {func(w *world) {
			w.at(deadline-time.Hour, didit.StatusResubmitted, ev(3, didit.StatusResubmitted)).
				at(2*deadline-2*time.Hour, didit.StatusApproved, ev(4, didit.StatusApproved))
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"asked again after a review that outlived the deadline": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview, ev(2, didit.StatusInReview)).
				at(2*deadline, didit.StatusResubmitted, ev(3, didit.StatusResubmitted)).
				at(2*deadline+time.Hour, didit.StatusApproved, ev(4, didit.StatusApproved))
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"asked again and never came back":    {func(w *world) { w.at(time.Hour, didit.StatusResubmitted, ev(3, didit.StatusResubmitted)) }, kyc.OutcomeAbandoned, didit.StatusResubmitted, 1},
		"nobody opens the link":              {func(*world) {}, kyc.OutcomeExpired, didit.StatusNotStarted, 1},
		"begun and left":                     {func(w *world) { w.at(time.Hour, didit.StatusInProgress, ev(2, didit.StatusInProgress)) }, kyc.OutcomeAbandoned, didit.StatusInProgress, 2},
		"the last look finds a lost verdict": {func(w *world) { w.at(time.Hour, didit.StatusApproved) }, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"the last look finds a review, which goes on": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview).
				at(2*deadline, didit.StatusDeclined, ev(9, didit.StatusDeclined))
		}, kyc.OutcomeDeclined, didit.StatusDeclined, 2},
		"a hint that Didit does not confirm decides nothing": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview, ev(3, didit.StatusApproved)).
				at(2*time.Hour, didit.StatusDeclined, ev(4, didit.StatusDeclined))
		}, kyc.OutcomeDeclined, didit.StatusDeclined, 3},
		"a status nobody has heard of changes nothing": {func(w *world) {
			w.at(time.Hour, didit.StatusNotStarted, ev(3, "Teleported"))
			approved(w)
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"an event of a session that was replaced changes nothing": {func(w *world) {
			other := ev(8, didit.StatusDeclined)
			other.SessionID = flow
			w.at(time.Second, didit.StatusNotStarted, other)
			approved(w)
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"an older event that comes late changes nothing": {func(w *world) {
			w.at(time.Hour, didit.StatusInReview, ev(5, didit.StatusInReview), ev(4, didit.StatusInProgress)).
				at(deadline+time.Hour, didit.StatusApproved, ev(6, didit.StatusApproved))
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"the same event many times is read once": {func(w *world) {
			e := ev(2, didit.StatusApproved)
			w.at(time.Minute, didit.StatusApproved, e, e, e, e)
		}, kyc.OutcomeApproved, didit.StatusApproved, 1},
		"verdict and start in the same second, in the wrong order": {func(w *world) {
			w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved), ev(2, didit.StatusInProgress))
		}, kyc.OutcomeApproved, didit.StatusApproved, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).creates().decides()
			tc.story(w)
			got := w.run()
			require.Equal(t, tc.want, got.Outcome)
			require.Equal(t, tc.status, got.Status)
			require.Equal(t, session, got.SessionID)
			require.Equal(t, tc.reads, w.reads, "decisions read")
		})
	}
}

func TestResultHoldsChecksAndWarnings(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates().decides().at(time.Minute, didit.StatusDeclined, ev(2, didit.StatusDeclined))
	w.warnings = []string{"POSSIBLE_FRAUD"}
	got := w.run()
	require.Equal(t, []kyc.Check{{Feature: "ID_VERIFICATION", Status: "Declined"}}, got.Checks)
	require.Equal(t, []string{"POSSIBLE_FRAUD"}, got.Warnings)
	require.Equal(t, 1, got.Attempt)
	require.False(t, got.UpdatedAt.IsZero())
}

func TestEveryResubmissionIsAnAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates().decides()
	for i := range int64(5) {
		at := time.Duration(i+1) * time.Hour
		w.at(at, didit.StatusResubmitted, ev(10*i+1, didit.StatusResubmitted)).
			at(at+time.Minute, didit.StatusInReview, ev(10*i+2, didit.StatusInReview))
	}
	w.at(10*time.Hour, didit.StatusApproved, ev(1000, didit.StatusApproved))
	require.Equal(t, 6, w.run().Attempt)
}

func TestEventsBeforeTheSessionAreJudgedAfterIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t).decides()
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).Return(made, nil)
	w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
}

func TestCreateGetsWhatTheInputSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.OnActivity(acts.CreateSession, mock.Anything, activities.CreateSessionInput{
		UserID: user, WorkflowID: "flow", Language: "pt-BR", ReturnURL: "https://shop.example/back", Attempt: 1,
	}).Return(activities.MadeSession{}, temporal.NewApplicationError("no", kyc.ErrorTypeRejected)).Once()
	w.ExecuteWorkflow(workflows.Verification, kyc.Input{
		UserID: user, WorkflowID: "flow", Language: "pt-BR", ReturnURL: "https://shop.example/back",
	})
	require.NoError(t, w.GetWorkflowError())
	w.AssertExpectations(t)
}

func TestRefusalsOfDiditEndWithoutASession(t *testing.T) {
	for _, kind := range []string{
		kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeRejected, kyc.ErrorTypeNotFound,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
				Return(activities.MadeSession{}, temporal.NewApplicationError("no", kind)).Once()
			var refused error
			w.RegisterDelayedCallback(func() {
				w.UpdateWorkflow(kyc.UpdateSession, "session", &testsuite.TestUpdateCallback{
					OnReject:   func(err error) { refused = err },
					OnAccept:   func() {},
					OnComplete: func(_ any, err error) { refused = err },
				})
			}, 0)
			got := w.run()
			require.Equal(t, kyc.OutcomeFailed, got.Outcome)
			require.Equal(t, kind, got.ErrorType)
			var app *temporal.ApplicationError
			require.ErrorAs(t, refused, &app)
			require.Equal(t, kind, app.Type())
			w.AssertExpectations(t)
		})
	}
}

func TestTroubleOfDiditIsWaitedOut(t *testing.T) {
	for _, kind := range []string{kyc.ErrorTypeRateLimited, kyc.ErrorTypeUnavailable} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
				Return(activities.MadeSession{}, temporal.NewApplicationError("later", kind)).Times(trouble)
			w.creates().decides().at(48*time.Hour, didit.StatusApproved, ev(2, didit.StatusApproved))
			require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
		})
	}
}

func TestAKeyThatIsMendedLaterFindsTheVerdict(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates()
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).
		Return(activities.Decision{}, temporal.NewApplicationError("no", kyc.ErrorTypeUnauthorized)).Times(trouble)
	w.decides().at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
}

func TestSessionUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates().decides().at(2*time.Hour, didit.StatusApproved, ev(2, didit.StatusApproved))
	var early, late kyc.Session
	ask := func(id string, into *kyc.Session) func() {
		return func() {
			w.UpdateWorkflow(kyc.UpdateSession, id, &testsuite.TestUpdateCallback{
				OnAccept: func() {},
				OnReject: func(err error) { t.Error(err) },
				OnComplete: func(answer any, err error) {
					if s, ok := answer.(kyc.Session); ok && err == nil {
						*into = s
						return
					}
					t.Errorf("update %s: %v, %v", id, answer, err)
				},
			})
		}
	}
	w.RegisterDelayedCallback(ask("session", &early), 0)
	w.at(30*time.Minute, didit.StatusInProgress, ev(1, didit.StatusInProgress))
	w.RegisterDelayedCallback(ask("again", &late), time.Hour)
	w.run()
	require.Equal(t, kyc.Session{SessionID: session, SessionToken: "token", URL: "https://didit.example/session/token", Status: didit.StatusNotStarted}, early)
	require.Equal(t, didit.StatusInProgress, late.Status, "a later caller hears the status of its time")
	require.Equal(t, early.URL, late.URL)
}

func TestCancelledInTemporal(t *testing.T) {
	for name, after := range map[string]time.Duration{"before the session": time.Minute, "after it": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).decides()
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).Return(made, nil)
			w.RegisterDelayedCallback(w.CancelWorkflow, after)
			w.ExecuteWorkflow(workflows.Verification, kyc.Input{UserID: user})
			var cancelled *temporal.CanceledError
			require.ErrorAs(t, w.GetWorkflowError(), &cancelled)
			require.Equal(t, kyc.OutcomeCancelled, w.state().Outcome)
		})
	}
}

func TestBadInputIsRefused(t *testing.T) {
	for name, in := range map[string]kyc.Input{
		"no user":                          {},
		"an e-mail address":                {UserID: "a@b.example"},
		"a priority nobody has heard of":   {UserID: user, Priority: "urgent"},
		"a user of another workflow's id ": {UserID: "u2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ExecuteWorkflow(workflows.Verification, in)
			var app *temporal.ApplicationError
			require.ErrorAs(t, w.GetWorkflowError(), &app)
			require.Equal(t, kyc.ErrorTypeInvalidInput, app.Type())
			require.True(t, app.NonRetryable())
		})
	}
}

// hourly looks at Didit every hour and more, as a worker with RECONCILE_AFTER=1h does.
func hourly(w *world) *world {
	m := made
	m.Terms.ReconcileSeconds, m.Terms.ReconcileMaxSeconds = 3600, 24*3600
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(m, nil)
	return w.decides()
}

func TestAVerdictWhoseWebhooksAreAllLostIsFound(t *testing.T) {
	for _, truth := range []didit.Status{
		didit.StatusApproved, didit.StatusDeclined, didit.StatusExpired, didit.StatusAbandoned, didit.StatusKycExpired,
	} {
		t.Run(string(truth), func(t *testing.T) {
			t.Parallel()
			w := hourly(newWorld(t)).at(2*time.Hour, truth)
			got := w.run()
			require.Equal(t, truth, got.Status)
			require.Equal(t, 2, w.reads, "looks after one and three hours")
		})
	}
}

func TestAReviewIsWatchedButNeverEnded(t *testing.T) {
	t.Parallel()
	w := hourly(newWorld(t)).at(time.Minute, didit.StatusInReview).at(364*24*time.Hour, didit.StatusApproved)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.InDelta(t, 368, w.reads, 4, "one look a day, after the first ones")
}

// Six minutes after a person has begun, all webhooks of a quick verdict have come or are lost.
func TestALookSoonAfterThePersonHasBegun(t *testing.T) {
	t.Parallel()
	w := hourly(newWorld(t)).at(time.Minute, didit.StatusInProgress, ev(1, didit.StatusInProgress)).at(2*time.Minute, didit.StatusApproved)
	var open bool
	w.RegisterDelayedCallback(func() { open = !w.IsWorkflowCompleted() }, 7*time.Minute-time.Second)
	w.RegisterDelayedCallback(func() { t.Error("still open after more than six minutes") }, 8*time.Minute)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.True(t, open)
}

func TestADecisionThatCannotBeUsedEndsNothing(t *testing.T) {
	t.Parallel()
	w := hourly(newWorld(t))
	w.foreign = []string{"environment"} // a worker that was told the wrong one
	w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	w.RegisterDelayedCallback(func() {
		require.Empty(t, w.state().Outcome, "long after the user's time is up")
		w.foreign = nil // somebody mends it
	}, 3*deadline)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
}

func TestADeletedSessionEndsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates()
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{}, temporal.NewApplicationError("no", kyc.ErrorTypeNotFound))
	w.OnActivity(acts.ListSessions, mock.Anything, mock.Anything).Return(activities.UserSessions{Sessions: []activities.UserSession{{SessionID: flow}}}, nil)
	w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	got := w.run()
	require.Equal(t, kyc.OutcomeCancelled, got.Outcome)
	require.Equal(t, kyc.ErrorTypeNotFound, got.ErrorType)
}

func TestASessionOutOfTheKeysSightIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := made
	m.Terms.ReconcileSeconds, m.Terms.ReconcileMaxSeconds = 3600, 3600
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(m, nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{}, temporal.NewApplicationError("no", kyc.ErrorTypeNotFound)).Times(5)
	w.OnActivity(acts.ListSessions, mock.Anything, mock.Anything).Return(activities.UserSessions{Sessions: []activities.UserSession{{SessionID: session}}}, nil)
	w.decides().at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
}
