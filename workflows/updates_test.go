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
)

// reply is what an operator hears.
type reply struct {
	rejected error
	err      error
	state    kyc.State
	done     bool
}

// ask sends an update after d.
func (w *world) ask(d time.Duration, update, id string, by kyc.Operator) *reply {
	r := &reply{}
	w.RegisterDelayedCallback(func() {
		w.UpdateWorkflow(update, id, &testsuite.TestUpdateCallback{
			OnReject: func(err error) { r.rejected = err },
			OnAccept: func() {},
			OnComplete: func(s any, err error) {
				r.done, r.err = true, err
				if state, ok := s.(kyc.State); ok {
					r.state = state
				}
			},
		}, by)
	}, d)
	return r
}

// deletes counts how often the session is deleted.
func (w *world) deletes(err error) *int {
	n := 0
	w.OnActivity(acts.DeleteSession, mock.Anything, activities.DeleteSessionInput{SessionID: session}).
		Return(func(context.Context, activities.DeleteSessionInput) error { n++; return err })
	return &n
}

func TestCancel(t *testing.T) {
	for name, tc := range map[string]struct {
		story   func(*world)
		deleteE error
		want    kyc.Outcome
		deletes int
	}{
		"before the link is opened":      {func(*world) {}, nil, kyc.OutcomeCancelled, 1},
		"while the user is at it":        {func(w *world) { w.at(time.Minute, didit.StatusInProgress, ev(2, didit.StatusInProgress)) }, nil, kyc.OutcomeCancelled, 0},
		"opened, and the webhook lost":   {func(w *world) { w.at(time.Minute, didit.StatusInProgress) }, nil, kyc.OutcomeCancelled, 0},
		"in review":                      {func(w *world) { w.at(time.Minute, didit.StatusInReview, ev(2, didit.StatusInReview)) }, nil, kyc.OutcomeCancelled, 0},
		"decided, and the webhook lost":  {func(w *world) { w.at(time.Minute, didit.StatusApproved) }, nil, kyc.OutcomeApproved, 0},
		"the decision is not about us":   {func(w *world) { w.foreign = []string{"vendor_data"} }, nil, kyc.OutcomeCancelled, 0},
		"Didit will not have it deleted": {func(*world) {}, temporal.NewApplicationError("", kyc.ErrorTypeUnauthorized), kyc.OutcomeCancelled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).creates().decides()
			deletes := w.deletes(tc.deleteE)
			tc.story(w)
			r := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
			got := w.run()
			require.Equal(t, tc.want, got.Outcome)
			require.Equal(t, tc.deletes, *deletes)
			require.True(t, r.done)
			if tc.want == kyc.OutcomeCancelled {
				require.NoError(t, r.err)
				require.Equal(t, got, r.state)
			} else {
				require.ErrorContains(t, r.err, "has ended: approved")
			}
		})
	}
}

// The event must not be lost: after the end the server would not hand it on, since the run was open when it came.
func TestAVerdictThatComesWhileCancellingIsLookedInto(t *testing.T) {
	w := newWorld(t).creates()
	deletes := w.deletes(nil)
	reads := 0
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).
		Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
			reads++
			if reads == 1 {
				w.SignalWorkflow(kyc.SignalDiditEvent, ev(9, didit.StatusApproved))
				return activities.Decision{Status: didit.StatusInProgress}, nil
			}
			return activities.Decision{Status: didit.StatusApproved}, nil
		})
	r := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.ErrorContains(t, r.err, "has ended: approved")
	require.Zero(t, *deletes)
}

func TestCancelDoesNotWaitForDiditForEver(t *testing.T) {
	w := newWorld(t).creates()
	deletes := w.deletes(nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).After(time.Hour).Return(activities.Decision{}, nil)
	r := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
	began := w.Now()
	require.Equal(t, kyc.OutcomeCancelled, w.run().Outcome)
	require.NoError(t, r.err)
	require.Zero(t, *deletes)
	require.WithinDuration(t, began.Add(time.Hour+10*time.Minute), w.Now(), time.Minute)
}

func TestCancelBeforeTheFirstStep(t *testing.T) {
	w := newWorld(t).creates()
	r := w.ask(0, kyc.UpdateCancel, "cancel", jo)
	got := w.run()
	require.Equal(t, kyc.OutcomeCancelled, got.Outcome)
	require.Empty(t, got.SessionID)
	require.NoError(t, r.err)
}

func TestTwoCancels(t *testing.T) {
	w := newWorld(t).creates().decides()
	deletes := w.deletes(nil)
	a, b := w.ask(time.Hour, kyc.UpdateCancel, "a", jo), w.ask(time.Hour, kyc.UpdateCancel, "b", kyc.Operator{Actor: "al", Reason: "typo:1"})
	got := w.run()
	require.Equal(t, got, a.state)
	require.Equal(t, got, b.state)
	require.Equal(t, 1, *deletes)
}

func TestRefreshReadsTheDecisionNow(t *testing.T) {
	w := newWorld(t).creates().decides().at(time.Minute, didit.StatusInReview).at(3*time.Hour, didit.StatusApproved)
	first, second := w.ask(time.Hour, kyc.UpdateRefresh, "a", jo), w.ask(4*time.Hour, kyc.UpdateRefresh, "b", jo)
	w.RegisterDelayedCallback(func() {
		require.Equal(t, didit.StatusInReview, w.state().Status)
		require.True(t, first.done)
	}, 2*time.Hour)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.NoError(t, first.err)
	require.Equal(t, didit.StatusInReview, first.state.Status)
	require.Equal(t, kyc.OutcomeApproved, second.state.Outcome)
	require.Equal(t, 2, w.reads, "no look but those that were asked for")
}

func TestUpdatesThatAreRefused(t *testing.T) {
	w := newWorld(t).decides()
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).After(time.Hour).Return(made, nil)
	w.at(3*time.Hour, didit.StatusApproved, ev(2, didit.StatusApproved))
	early := w.ask(time.Minute, kyc.UpdateRefresh, "early", jo)
	nobody := w.ask(2*time.Hour, kyc.UpdateRefresh, "nobody", kyc.Operator{Reason: "a:1"})
	prose := w.ask(2*time.Hour, kyc.UpdateCancel, "prose", kyc.Operator{Actor: "jo", Reason: "he looks odd"})
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	for r, want := range map[*reply][2]string{
		early:  {kyc.ErrorTypeRefused, "no session at Didit yet"},
		nobody: {kyc.ErrorTypeInvalidInput, "actor: want 1 to 64"},
		prose:  {kyc.ErrorTypeInvalidInput, "never free text about a person"},
	} {
		var refused *temporal.ApplicationError
		require.ErrorAs(t, r.rejected, &refused)
		require.Equal(t, want[0], refused.Type())
		require.Contains(t, refused.Message(), want[1])
		require.NotContains(t, refused.Message(), "odd")
	}
}
