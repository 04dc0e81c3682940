package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

func TestAVerificationWithoutASessionIsToldToo(t *testing.T) {
	wanted := temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{activities.Refusal{Results: true}}}
	for name, tc := range map[string]struct {
		in   kyc.Input
		make func(*world)
		want []string
	}{
		"refused": {kyc.Input{UserID: user}, func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
				Return(activities.MadeSession{}, temporal.NewApplicationErrorWithOptions("no", kyc.ErrorTypeOutOfCredit, wanted))
		}, []string{"verification.failed "}},
		"refused, by a worker that tells nobody": {kyc.Input{UserID: user}, func(w *world) {
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).
				Return(activities.MadeSession{}, temporal.NewNonRetryableApplicationError("no", kyc.ErrorTypeOutOfCredit, nil))
		}, nil},
		"over the cap": {kyc.Input{UserID: user, AfterRun: session}, func(w *world) {
			w.OnActivity(acts.ListSessions, mock.Anything, mock.Anything).Return(activities.UserSessions{Recent: 3, Cap: 3, Results: true}, nil)
		}, []string{"verification.failed "}},
		"over the cap, and nobody is told": {kyc.Input{UserID: user, AfterRun: session}, func(w *world) {
			w.OnActivity(acts.ListSessions, mock.Anything, mock.Anything).Return(activities.UserSessions{Recent: 3, Cap: 3}, nil)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.make(w)
			told := w.receives(lasting(time.Second), nil)
			w.ExecuteWorkflow(workflows.Verification, tc.in)
			require.NoError(t, w.GetWorkflowError())
			require.Equal(t, kyc.OutcomeFailed, w.state().Outcome)
			require.Equal(t, tc.want, told.types())
		})
	}
}

func TestACancelledVerificationIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		results bool
		cancel  time.Duration // the session comes after an hour
		news    []didit.Status
		want    []string
		unasked bool
		end     kyc.Outcome
	}{
		"after the session":                 {true, 2 * time.Hour, nil, []string{"verification.completed Not Started"}, false, kyc.OutcomeCancelled},
		"after it, with nobody to tell":     {false, 2 * time.Hour, nil, nil, false, kyc.OutcomeCancelled},
		"before anybody said whom":          {true, time.Minute, nil, []string{"verification.completed "}, true, kyc.OutcomeCancelled},
		"and the user goes on all the same": {true, 2 * time.Hour, []didit.Status{didit.StatusInProgress, didit.StatusInReview}, []string{"verification.completed Not Started"}, false, kyc.OutcomeCancelled},
		"and Didit decides all the same": {
			true, 2 * time.Hour, []didit.Status{didit.StatusInProgress, didit.StatusApproved},
			[]string{"verification.completed Not Started", "verification.changed Approved"}, false, kyc.OutcomeApproved,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).decides()
			m := made
			m.Terms.Results = tc.results
			w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).Return(m, nil)
			told := w.receives(lasting(10*time.Hour), nil)
			w.RegisterDelayedCallback(w.CancelWorkflow, tc.cancel)
			for i, s := range tc.news {
				w.at(3*time.Hour+time.Duration(i)*time.Minute, s, ev(int64(i+5), s))
			}
			w.ExecuteWorkflow(workflows.Verification, kyc.Input{UserID: user})
			var cancelled *temporal.CanceledError
			require.ErrorAs(t, w.GetWorkflowError(), &cancelled)
			require.Equal(t, tc.end, w.state().Outcome)
			require.Equal(t, tc.want, told.types())
			for _, in := range told.results() {
				require.Equal(t, tc.unasked, in.Unasked)
			}
		})
	}
}

// Who cancels a verification that is decided comes too late: verdict and message stay.
func TestADecidedVerificationCannotBeCancelled(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.tells(lasting(time.Hour))
	l.moves(time.Minute, didit.StatusApproved)
	l.hears(time.Minute, 1, time.Minute, didit.StatusApproved)
	l.RegisterDelayedCallback(l.CancelWorkflow, 10*time.Minute)
	l.moves(20*time.Minute, didit.StatusDeclined) // and news is still taken in
	l.hears(20*time.Minute, 2, 20*time.Minute, didit.StatusDeclined)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.Len(t, told.results(), 2)
}

// A user who comes back does not wait for the receiver.
func TestARunMakesWayForTheNext(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.tells(lasting(10 * time.Hour))
	l.moves(time.Hour, didit.StatusInReview)
	l.hears(time.Hour, 1, time.Hour, didit.StatusInReview)
	l.RegisterDelayedCallback(func() { l.SignalWorkflow(kyc.SignalHandOver, nil) }, 90*time.Minute) // too early to mean anything
	l.moves(2*time.Hour, didit.StatusDeclined)
	l.hears(2*time.Hour, 2, 2*time.Hour, didit.StatusDeclined)
	var left workflows.Delivery
	l.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		require.Equal(t, kyc.WorkflowResultDelivery, info.WorkflowType.Name)
		require.Contains(t, info.WorkflowExecution.ID, kyc.WorkflowID(user)+"~result-")
		require.NoError(t, args.Get(&left))
	})
	made := false
	l.RegisterDelayedCallback(func() { made = l.IsWorkflowCompleted() }, 3*time.Hour)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.True(t, made, "the delivery goes on, the run does not")
	require.Len(t, left.Results, 2)
	require.NotEmpty(t, left.RunID)
}

func TestAChangeIsToldWhereSomebodyIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		last activities.LastReport
		want []string
	}{
		"changed":                    {activities.LastReport{Results: true}, []string{"verification.changed Declined"}},
		"changed, with nobody there": {activities.LastReport{}, nil},
		"what was said before": {activities.LastReport{Results: true, State: kyc.State{
			UserID: user, SessionID: session, Status: didit.StatusDeclined, Outcome: kyc.OutcomeDeclined,
		}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.OnActivity(acts.FindLastReport, mock.Anything, mock.Anything).Return(tc.last, nil)
			w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).
				Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
					return activities.Decision{Status: didit.StatusDeclined}, nil
				})
			told := w.receives(lasting(72*time.Hour), down)
			w.RegisterDelayedCallback(w.CancelWorkflow, 24*time.Hour)
			w.RegisterDelayedCallback(func() {
				var during kyc.ChangeResult
				answer, err := w.QueryWorkflow(kyc.QueryState)
				require.NoError(t, err)
				require.NoError(t, answer.Get(&during))
				require.Equal(t, didit.StatusDeclined, during.State.Status, "a receiver that is down does not hide it")
			}, 36*time.Hour)
			w.ExecuteWorkflow(workflows.DecisionChange, kyc.Change{UserID: user, Event: ev(9, didit.StatusDeclined)})
			require.NoError(t, w.GetWorkflowError())
			require.Equal(t, tc.want, told.types())
		})
	}
}

// A session that was left at Didit may go on after a cancel. That it does is no news, what comes of it is.
func TestNewsOfACancelledSessionIsAnOutcome(t *testing.T) {
	for status, want := range map[didit.Status][]string{
		didit.StatusInProgress:   nil,
		didit.StatusAwaitingUser: nil,
		didit.StatusInReview:     nil,
		didit.StatusResubmitted:  nil,
		didit.StatusApproved:     {"verification.changed Approved"},
		didit.StatusDeclined:     {"verification.changed Declined"},
		didit.StatusAbandoned:    {"verification.changed Abandoned"},
		didit.StatusExpired:      {"verification.changed Expired"},
		didit.StatusKycExpired:   {"verification.changed Kyc Expired"},
	} {
		for _, was := range []kyc.Outcome{kyc.OutcomeCancelled, kyc.OutcomeApproved} {
			t.Run(string(was)+", now "+string(status), func(t *testing.T) {
				t.Parallel()
				want := want
				w := newWorld(t)
				last := kyc.State{UserID: user, SessionID: session, Status: didit.StatusNotStarted, Outcome: was}
				w.OnActivity(acts.FindLastReport, mock.Anything, mock.Anything).Return(activities.LastReport{State: last, Results: true}, nil)
				w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{Status: status}, nil)
				told := w.receives(lasting(time.Second), nil)
				w.ExecuteWorkflow(workflows.DecisionChange, kyc.Change{UserID: user, Event: ev(9, status)})
				var r kyc.ChangeResult
				require.NoError(t, w.GetWorkflowError())
				require.NoError(t, w.GetWorkflowResult(&r))
				if was == kyc.OutcomeApproved { // a verdict that is taken back is news
					want = []string{"verification.changed " + string(status)}
				}
				require.Equal(t, want, told.types())
				require.Equal(t, len(want) > 0, r.Changed)
				if !r.Changed {
					require.Equal(t, last, r.State)
				}
			})
		}
	}
}
