package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// A reviewer changes his mind while the decision that would end the verification is being read.
func TestNewsDuringTheLastReadIsReadToo(t *testing.T) {
	for name, tc := range map[string]struct {
		newer   didit.Status
		second  int64 // when it happened; the verdict that is being read happened in second 60
		outcome kyc.Outcome
		reads   int
	}{
		"the opposite verdict":             {didit.StatusDeclined, 65, kyc.OutcomeDeclined, 2},
		"the opposite in the same second":  {didit.StatusDeclined, 60, kyc.OutcomeDeclined, 2},
		"the document expires":             {didit.StatusKycExpired, 65, kyc.OutcomeLapsed, 2},
		"asked again, and never came back": {didit.StatusResubmitted, 65, kyc.OutcomeAbandoned, 3 + resubmittedLooks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 1.05)
			l.reading = func() time.Duration { return 10 * time.Second }
			l.moves(time.Minute, didit.StatusApproved)
			l.hears(time.Minute, 1, time.Minute, didit.StatusApproved)
			l.moves(65*time.Second, tc.newer)
			l.hears(66*time.Second, 2, time.Duration(tc.second)*time.Second, tc.newer)
			got := l.run()
			require.Equal(t, tc.newer, got.Status)
			require.Equal(t, tc.outcome, got.Outcome)
			require.Len(t, l.looks, tc.reads)
		})
	}
}

// resubmittedLooks are those of 192 hours: after 15 and 45 minutes, 1.75, 3.75, 7.75, 15.75, 31.75 hours and then daily,
// all intervals 5 % longer. That at the deadline is not one of them.
const resubmittedLooks = 13

// The server makes a workflow whose completion crosses with a signal think again; here both arrive in one task.
func TestNewsInTheTaskThatWouldCompleteIsReadToo(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.moves(time.Minute, didit.StatusApproved)
	l.hears(time.Minute, 1, time.Minute, didit.StatusApproved)
	l.reading = func() time.Duration {
		if len(l.looks) == 1 {
			l.path, l.moved = append(l.path, didit.StatusDeclined), append(l.moved, l.Now())
			l.SignalWorkflowSkippingWorkflowTask(kyc.SignalDiditEvent, ev(beginning.Unix()+61, didit.StatusDeclined))
		}
		return 0
	}
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.Len(t, l.looks, 2)
}

// What crosses with the end and is no news costs no read.
func TestARepeatDuringTheLastReadIsNoNews(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.reading = func() time.Duration { return 10 * time.Second }
	l.moves(time.Minute, didit.StatusApproved)
	for i := range 3 {
		l.hears(time.Minute+time.Duration(i)*time.Second, 1, time.Minute, didit.StatusApproved)
	}
	l.hears(65*time.Second, 0, 0, didit.StatusInProgress)
	require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
	require.Len(t, l.looks, 1)
}

// answers collects what updates are told.
type answers struct {
	sessions []kyc.Session
	errs     []error
}

func (a *answers) ask(w *world, id string, after time.Duration) {
	w.RegisterDelayedCallback(func() {
		w.UpdateWorkflow(kyc.UpdateSession, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { w.t.Error(err) },
			OnComplete: func(answer any, err error) {
				if s, ok := answer.(kyc.Session); ok && err == nil {
					a.sessions = append(a.sessions, s)
					return
				}
				a.errs = append(a.errs, err)
			},
		})
	}, after)
}

func TestCallersDuringTheLastReadAreAnswered(t *testing.T) {
	t.Parallel()
	l, a := newLife(t, 1.05), &answers{}
	l.reading = func() time.Duration { return 10 * time.Second }
	l.moves(time.Minute, didit.StatusApproved)
	l.hears(time.Minute, 1, time.Minute, didit.StatusApproved)
	a.ask(l.world, "while it is read", 65*time.Second)
	a.ask(l.world, "as it ends", 70*time.Second)
	require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
	require.Empty(t, a.errs)
	require.NotEmpty(t, a.sessions)
	for _, s := range a.sessions {
		require.Equal(t, made.Session.URL, s.URL)
	}
}

func TestCallersWhoWaitForASessionThatNeverComesAreAnswered(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(*world)
		kind string
	}{
		"refused by Didit": {func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).
				Return(activities.MadeSession{}, temporal.NewApplicationError("no", kyc.ErrorTypeOutOfCredit))
		}, kyc.ErrorTypeOutOfCredit},
		"cancelled in Temporal": {func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).
				Return(func(context.Context, activities.CreateSessionInput) (activities.MadeSession, error) { return made, nil })
			w.RegisterDelayedCallback(w.CancelWorkflow, 30*time.Minute)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a := newWorld(t), &answers{}
			tc.end(w)
			a.ask(w, "first", 0)
			a.ask(w, "second", time.Minute)
			w.ExecuteWorkflow(workflows.Verification, kyc.Input{UserID: user})
			require.True(t, w.IsWorkflowCompleted())
			require.Empty(t, a.sessions)
			require.Len(t, a.errs, 2)
			for _, err := range a.errs {
				require.Error(t, err)
				var app *temporal.ApplicationError
				if tc.kind != "" {
					require.ErrorAs(t, err, &app)
					require.Equal(t, tc.kind, app.Type())
				}
			}
		})
	}
}
