package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// shredder is a Didit and a Temporal that have something of a user.
type shredder struct {
	*world
	open       int // times that the verification is found open
	stuck      bool
	stopped    time.Time
	sessions   []string
	others     int
	held       string
	failures   []error // of the next erasures of a session
	entity     int
	runs       int
	calls      []string
	afterRound func(round int)
	rounds     int
	made       int
	slow       bool
	terminated bool
}

func newShredder(t *testing.T) *shredder {
	t.Helper()
	s := &shredder{world: newWorld(t)}
	s.OnActivity(acts.EndVerification, mock.Anything, mock.Anything).Return(s.end)
	s.OnActivity(acts.ListAllSessions, mock.Anything, activities.ListSessionsInput{UserID: user}).
		Return(func(context.Context, activities.ListSessionsInput) (activities.ErasableSessions, error) {
			s.calls = append(s.calls, "list")
			return activities.ErasableSessions{SessionIDs: slices.Clone(s.sessions), Others: s.others}, nil
		})
	s.OnActivity(acts.EraseSession, mock.Anything, mock.Anything).Return(s.erase)
	s.OnActivity(acts.EraseUser, mock.Anything, activities.EraseUserInput{UserID: user}).
		Return(func(context.Context, activities.EraseUserInput) (activities.ErasedUsers, error) {
			s.calls = append(s.calls, "user")
			n := s.entity
			s.entity = 0
			return activities.ErasedUsers{Users: n}, nil
		})
	s.OnActivity(acts.ForgetRuns, mock.Anything, activities.EraseUserInput{UserID: user}).
		Return(func(context.Context, activities.EraseUserInput) (activities.ForgottenRuns, error) {
			s.calls = append(s.calls, "runs")
			f := activities.ForgottenRuns{Left: s.runs, Open: s.open > 0}
			for range s.runs {
				s.made++
				f.Deleting = append(f.Deleting, fmt.Sprint("run", s.made))
			}
			if s.runs > 0 && !s.slow { // a slow server still has the same run the next time
				s.runs = 0
			}
			if s.slow {
				s.slow, s.made = false, s.made-s.runs
			}
			if s.rounds++; s.afterRound != nil {
				s.afterRound(s.rounds)
			}
			return f, nil
		})
	return s
}

func (s *shredder) end(_ context.Context, in activities.EndVerificationInput) (activities.EndedVerification, error) {
	require.Equal(s.t, user, in.UserID)
	require.Equal(s.t, jo, in.Operator)
	if s.stuck && !in.Terminate {
		return activities.EndedVerification{}, temporal.NewApplicationError("no worker takes the update", "")
	}
	if s.stuck {
		s.stuck, s.terminated = false, true
		return activities.EndedVerification{Open: true}, nil
	}
	if s.open > 0 {
		s.open--
		return activities.EndedVerification{Open: true}, nil
	}
	return activities.EndedVerification{Stopped: s.stopped}, nil
}

func (s *shredder) erase(_ context.Context, in activities.DeleteSessionInput) error {
	s.calls = append(s.calls, "erase "+in.SessionID)
	if in.SessionID == s.held {
		return temporal.NewNonRetryableApplicationError("kept", kyc.ErrorTypeLegalHold, nil)
	}
	if len(s.failures) > 0 {
		err := s.failures[0]
		s.failures = s.failures[1:]
		return err
	}
	s.sessions = slices.DeleteFunc(s.sessions, func(id string) bool { return id == in.SessionID })
	return nil
}

func (s *shredder) shred() (kyc.OperationResult, error) {
	s.t.Helper()
	s.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: kyc.OperationID(user, kyc.VerbErase, order), TaskQueue: kyc.TaskQueue})
	s.ExecuteWorkflow(workflows.Operation, kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: jo, LegalHoldChecked: true})
	require.True(s.t, s.IsWorkflowCompleted())
	var r kyc.OperationResult
	if err := s.GetWorkflowError(); err != nil {
		return r, err
	}
	require.NoError(s.t, s.GetWorkflowResult(&r))
	return r, nil
}

func TestErase(t *testing.T) {
	away := failure(kyc.ErrorTypeUnavailable)
	for name, tc := range map[string]struct {
		before func(*shredder)
		want   kyc.Erased
	}{
		"nothing at all":                        {func(*shredder) {}, kyc.Erased{}},
		"an open one":                           {func(s *shredder) { s.open, s.sessions, s.entity, s.runs = 2, []string{"a"}, 1, 1 }, kyc.Erased{Sessions: 1, Users: 1, Runs: 1, Ended: true}},
		"closed ones":                           {func(s *shredder) { s.sessions, s.entity, s.runs = []string{"a", "b", "c"}, 1, 5 }, kyc.Erased{Sessions: 3, Users: 1, Runs: 5}},
		"no session at all":                     {func(s *shredder) { s.open, s.runs = 1, 1 }, kyc.Erased{Runs: 1, Ended: true}},
		"Temporal has forgotten":                {func(s *shredder) { s.sessions, s.entity = []string{"a"}, 1 }, kyc.Erased{Sessions: 1, Users: 1}},
		"503 twice, then done":                  {func(s *shredder) { s.sessions, s.failures = []string{"a", "b"}, []error{away, away} }, kyc.Erased{Sessions: 2}},
		"another user whose id differs in case": {func(s *shredder) { s.sessions, s.others, s.entity = []string{"a"}, 1, 1 }, kyc.Erased{Sessions: 1, UserKept: true}},
		"a server that takes its time":          {func(s *shredder) { s.runs, s.slow = 2, true }, kyc.Erased{Runs: 2}},
		"started again meanwhile": {func(s *shredder) {
			s.sessions, s.entity, s.runs = []string{"a"}, 1, 1
			s.afterRound = func(round int) {
				if round == 1 {
					s.open, s.sessions, s.entity, s.runs = 1, []string{"b"}, 1, 1
				}
			}
		}, kyc.Erased{Sessions: 2, Users: 1, Runs: 2, Ended: true}},
		"late news in Temporal": {func(s *shredder) {
			s.sessions, s.entity, s.runs = []string{"a"}, 1, 1
			s.afterRound = func(round int) {
				if round < 3 {
					s.runs = 1
				}
			}
		}, kyc.Erased{Sessions: 1, Users: 1, Runs: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShredder(t)
			tc.before(s)
			got, err := s.shred()
			require.NoError(t, err)
			changed := tc.want != (kyc.Erased{})
			require.Equal(t, kyc.OperationResult{UserID: user, Verb: kyc.VerbErase, Erased: &tc.want, Changed: changed, Already: !changed}, got)
			require.Empty(t, s.sessions)
			require.Zero(t, s.runs+s.open)
			if !tc.want.UserKept {
				require.Zero(t, s.entity)
			}
			require.Equal(t, "runs", s.calls[len(s.calls)-1])
			if changed {
				require.Greater(t, s.rounds, 1, "a last look found nothing")
			}
		})
	}
}

func TestTemporalForgetsNothingBeforeDiditHas(t *testing.T) {
	s := newShredder(t)
	s.sessions, s.runs, s.failures = []string{"a"}, 1, []error{failure(kyc.ErrorTypeUnauthorized)}
	_, err := s.shred()
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, kyc.ErrorTypeUnauthorized, refused.Type())
	require.NotContains(t, s.calls, "runs")
}

func TestASessionUnderLegalHoldAtDiditIsNamed(t *testing.T) {
	s := newShredder(t)
	s.sessions, s.held, s.entity, s.runs = []string{"a", "b", "c"}, "b", 1, 2
	_, err := s.shred()
	var refused *temporal.ApplicationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, kyc.ErrorTypeLegalHold, refused.Type())
	require.Contains(t, refused.Message(), "[b] are kept")
	require.Contains(t, refused.Message(), "2 sessions, no user; in Temporal: 2 runs")
	require.Equal(t, []string{"b"}, s.sessions)
	require.NotContains(t, s.calls, "user", "what hangs on it stays too")
}

func TestAVerificationThatDoesNotEndIsTerminated(t *testing.T) {
	s := newShredder(t)
	s.stuck, s.runs = true, 1
	s.stopped = s.Now().Add(11 * time.Minute)
	began := s.Now()
	_, err := s.shred()
	require.NoError(t, err)
	require.True(t, s.terminated)
	require.Greater(t, s.Now().Sub(began), 11*time.Minute+30*time.Second, "a create may have been under way")
}

func TestAUserWhoIsStartedForEverIsGivenUp(t *testing.T) {
	s := newShredder(t)
	s.sessions = []string{"s0"}
	s.afterRound = func(int) { s.sessions = []string{fmt.Sprint("s", s.rounds)} }
	_, err := s.shred()
	require.ErrorContains(t, err, "who starts the user again and again")
}

// An open verification, whatever it waits for, ends as erased, and makes no session after that.
func TestAnOpenVerificationIsErased(t *testing.T) {
	for name, story := range map[string]func(*world){
		"before the link is opened":           func(w *world) { w.creates() },
		"while the user is at it":             func(w *world) { w.creates().at(time.Minute, didit.StatusInProgress, ev(2, didit.StatusInProgress)) },
		"in review":                           func(w *world) { w.creates().at(time.Minute, didit.StatusInReview, ev(2, didit.StatusInReview)) },
		"resubmitted":                         func(w *world) { w.creates().at(time.Minute, didit.StatusResubmitted, ev(2, didit.StatusResubmitted)) },
		"decided, and the webhook on its way": func(w *world) { w.creates().at(time.Minute, didit.StatusApproved) },
		"waiting in the queue": func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(2*time.Hour).Return(made, nil)
		},
		"Didit makes no sessions": func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(20*time.Minute).
				Return(activities.MadeSession{}, temporal.NewApplicationError("", kyc.ErrorTypeRateLimited))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).decides()
			story(w)
			told := w.receives(lasting(time.Second), nil)
			before := 0
			w.RegisterDelayedCallback(func() { before = w.reads }, time.Hour)
			r := w.ask(time.Hour, kyc.UpdateErase, "erase", jo)
			got := w.run()
			require.Equal(t, kyc.OutcomeErased, got.Outcome)
			require.NoError(t, r.err)
			require.Equal(t, got, r.state)
			require.Equal(t, before, w.reads, "Didit is not asked any more")
			for _, in := range told.results() { // who had no session yet does not know whether there is a receiver
				require.True(t, in.Unasked)
				require.Equal(t, kyc.ResultCompleted, in.Type)
				require.Equal(t, kyc.OutcomeErased, in.State.Outcome)
			}
		})
	}
}

func TestAnErasedVerificationWaitsForTheCreateWhoseAnswerWasLost(t *testing.T) {
	w := newWorld(t)
	w.receives(lasting(time.Second), nil)
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
		Return(activities.MadeSession{}, temporal.NewNonRetryableApplicationError("", kyc.ErrorTypeUnavailable, nil))
	r := w.ask(2*time.Second, kyc.UpdateErase, "erase", jo)
	began := w.Now()
	require.Equal(t, kyc.OutcomeErased, w.run().Outcome)
	require.NoError(t, r.err)
	require.GreaterOrEqual(t, w.Now().Sub(began), 32*time.Second)
}

// A cancel that waits for Didit must not keep an erasure waiting.
func TestAnErasureOvertakesACancel(t *testing.T) {
	w := newWorld(t).creates()
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).After(time.Hour).Return(activities.Decision{}, nil)
	cancelled := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
	erased := w.ask(time.Hour+time.Minute, kyc.UpdateErase, "erase", jo)
	began := w.Now()
	require.Equal(t, kyc.OutcomeErased, w.run().Outcome)
	require.NoError(t, erased.err)
	require.ErrorContains(t, cancelled.err, "has ended: erased")
	require.WithinDuration(t, began.Add(time.Hour+time.Minute), w.Now(), time.Second)
}

func TestWhoWaitsForTheURLOfAnErasedUserIsTold(t *testing.T) {
	w := newWorld(t)
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(2*time.Hour).Return(made, nil)
	w.receives(lasting(time.Second), nil)
	waits := w.ask(time.Minute, kyc.UpdateSession, "session", jo)
	w.ask(time.Hour, kyc.UpdateErase, "erase", jo)
	w.run()
	var told *temporal.ApplicationError
	require.ErrorAs(t, waits.err, &told)
	require.Equal(t, kyc.ErrorTypeErased, told.Type())
}

// The receiver is told once, and nothing that comes while it is told changes that any more.
func TestTheReceiverIsToldOfAnErasure(t *testing.T) {
	w := newWorld(t).decides()
	m := made
	m.Terms.Results = true
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(m, nil)
	told := w.receives(lasting(10*time.Hour), nil)
	w.ask(time.Hour, kyc.UpdateErase, "erase", jo)
	w.at(2*time.Hour, didit.StatusApproved, ev(9, didit.StatusApproved))
	require.Equal(t, kyc.OutcomeErased, w.run().Outcome)
	require.Equal(t, []string{"verification.completed Not Started"}, told.types())
	require.Equal(t, kyc.OutcomeErased, told.results()[0].State.Outcome)
	require.Zero(t, w.reads)
}

func TestLateNewsOfAnErasedUser(t *testing.T) {
	for name, tc := range map[string]struct {
		last   kyc.State
		erased bool
		asked  int
		fails  bool
	}{
		"erased":                        {kyc.State{}, true, 1, false},
		"never erased":                  {kyc.State{}, false, 1, true},
		"a session that was remembered": {kyc.State{SessionID: session}, true, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			asked := 0
			w.OnActivity(acts.FindLastReport, mock.Anything, mock.Anything).Return(activities.LastReport{State: tc.last}, nil)
			w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{}, failure(kyc.ErrorTypeNotFound))
			w.OnActivity(acts.ForgetLateNews, mock.Anything, mock.Anything).
				Return(func(context.Context, kyc.Change) (activities.LateNews, error) {
					asked++
					return activities.LateNews{Erased: tc.erased}, nil
				})
			w.ExecuteWorkflow(workflows.DecisionChange, kyc.Change{UserID: user, Event: ev(9, didit.StatusDeclined)})
			require.Equal(t, tc.fails, w.GetWorkflowError() != nil)
			require.Equal(t, tc.asked, asked)
		})
	}
}
