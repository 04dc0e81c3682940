package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// tellsCreated lets Didit make a session whose results are told; each delivery takes its time.
func (w *world) tellsCreated(takes time.Duration) *told {
	m := made
	m.Terms.Results = true
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(m, nil)
	return w.receives(lasting(takes), nil)
}

// The delivery ends while older news is being looked into: what came meanwhile would be lost with the run.
func TestNewsDuringALookWhileTheDeliveryEndsIsNotLost(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.tells(lasting(10 * time.Minute))
	const told = time.Hour + 10*time.Minute
	l.reading = func() time.Duration {
		if l.Now().Before(beginning.Add(told - time.Minute)) {
			return 0
		}
		return 10 * time.Second
	}
	l.moves(time.Hour, didit.StatusApproved)
	l.hears(time.Hour, 1, time.Hour, didit.StatusApproved)
	l.moves(told-time.Minute, didit.StatusDeclined)
	l.moves(told-30*time.Second, didit.StatusApproved)
	l.hears(told-5*time.Second, 2, told-time.Minute, didit.StatusDeclined) // read as Approved until told + 5 s
	l.moves(told-2*time.Second, didit.StatusDeclined)
	l.hears(told-time.Second, 4, told-2*time.Second, didit.StatusDeclined)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
}

// An operator's cancel came after the verdict, so the verdict stands; then Didit takes it back. Nobody follows the
// session any more, and a verification must not end without an outcome.
func TestAVerdictThatIsTakenBackAfterACancelEndsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t).decides()
	told := w.tellsCreated(10 * time.Hour)
	w.at(time.Minute, didit.StatusInReview, ev(2, didit.StatusInReview)).at(2*time.Minute, didit.StatusApproved)
	r := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
	w.at(2*time.Hour, didit.StatusInReview, ev(9, didit.StatusInReview))
	require.Equal(t, kyc.OutcomeCancelled, w.run().Outcome)
	require.ErrorContains(t, r.err, "has ended: approved")
	require.Equal(t, []string{
		"verification.in_review In Review", "verification.completed Approved", "verification.changed In Review",
	}, told.types())
	require.Equal(t, kyc.OutcomeCancelled, told.results()[2].State.Outcome)
}

// Temporal's own button, pressed while Didit's decision is being read.
func TestACancelWhileDiditIsAskedIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := w.tellsCreated(time.Minute)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).After(time.Hour).Return(activities.Decision{Status: didit.StatusApproved}, nil)
	w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved))
	w.RegisterDelayedCallback(w.CancelWorkflow, 2*time.Minute)
	w.ExecuteWorkflow(workflows.Verification, kyc.Input{UserID: user})
	require.Equal(t, kyc.OutcomeCancelled, w.state().Outcome)
	require.Len(t, told.results(), 1)
}

// Didit does not answer for so long that the cancelled verification gives up, and the verdict has come meanwhile.
func TestAVerdictThatCameWhileACancelWaitedInVainIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t).creates()
	w.deletes(nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).After(time.Hour).Return(activities.Decision{Status: didit.StatusApproved}, nil)
	r := w.ask(time.Hour, kyc.UpdateCancel, "cancel", jo)
	w.at(time.Hour+5*time.Minute, didit.StatusApproved, ev(9, didit.StatusApproved))
	w.RegisterDelayedCallback(func() { require.True(t, r.done, "the operator does not wait for Didit") }, time.Hour+11*time.Minute)
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.Equal(t, kyc.OutcomeCancelled, r.state.Outcome)
}

// The sentence on the page must not go on about a receiver who has been told.
func TestThePageSaysWhenTheReceiverHasBeenTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t).decides()
	w.tellsCreated(time.Minute)
	w.at(time.Hour, didit.StatusInReview, ev(2, didit.StatusInReview))
	var telling, after string
	w.RegisterDelayedCallback(func() { telling = w.details() }, time.Hour+30*time.Second)
	w.RegisterDelayedCallback(func() { after = w.details() }, time.Hour+2*time.Minute)
	w.at(2*time.Hour, didit.StatusApproved, ev(3, didit.StatusApproved))
	w.run()
	require.Contains(t, telling, "Telling the receiver")
	require.Contains(t, after, "In review")
	require.NotContains(t, after, "Telling the receiver")
}

func (w *world) details() string {
	w.t.Helper()
	answer, err := w.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(w.t, err)
	var m sdkpb.WorkflowMetadata
	require.NoError(w.t, answer.Get(&m))
	return m.GetCurrentDetails()
}

// A verdict changes at the very moment in which the run hands its results over: the user who comes back waits for no
// receiver all the same, and the new verdict is delivered too.
func TestAVerdictThatChangesDuringTheHandOverIsHandedOverToo(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.tells(lasting(10 * time.Hour))
	l.moves(time.Hour, didit.StatusApproved)
	l.hears(time.Hour, 1, time.Hour, didit.StatusApproved)
	l.RegisterDelayedCallback(func() { l.SignalWorkflow(kyc.SignalHandOver, nil) }, 2*time.Hour)
	var left []workflows.Delivery
	ids := map[string]bool{}
	l.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		var d workflows.Delivery
		require.NoError(t, args.Get(&d))
		left, ids[info.WorkflowExecution.ID] = append(left, d), true
		if len(left) == 1 {
			l.path, l.moved = append(l.path, didit.StatusDeclined), append(l.moved, l.Now())
			l.SignalWorkflow(kyc.SignalDiditEvent, ev(l.Now().Unix(), didit.StatusDeclined))
		}
	})
	gone := false
	l.RegisterDelayedCallback(func() { gone = l.IsWorkflowCompleted() }, 3*time.Hour)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.True(t, gone)
	require.Len(t, left, 2)
	require.Len(t, ids, 2)
	require.Equal(t, didit.StatusDeclined, left[1].Results[0].State.Status)
}

// The user comes back between the two steps: the next run, which has another session, would take the news and ignore it.
func TestNewsIsForwardedToTheRunThatItIsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	news := kyc.Change{UserID: user, Event: ev(9, didit.StatusDeclined)}
	w.OnActivity(acts.FindLastReport, mock.Anything, mock.Anything).Return(activities.LastReport{Open: true, RunID: "its-run"}, nil)
	w.OnActivity(acts.ForwardEvent, mock.Anything, activities.ForwardEventInput{Change: news, RunID: "its-run"}).Return(false, nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{Status: didit.StatusDeclined}, nil)
	w.ExecuteWorkflow(workflows.DecisionChange, news)
	var r kyc.ChangeResult
	require.NoError(t, w.GetWorkflowError())
	require.NoError(t, w.GetWorkflowResult(&r))
	require.True(t, r.Changed)
}
