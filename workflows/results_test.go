package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// tells lets the life's results be delivered; each takes its time.
func (l *life) tells(takes func() time.Duration) *told {
	l.made.Terms.Results = true
	return l.receives(takes, nil)
}

// told collects what is sent to the receiver of results. Deliveries run side by side.
type told struct {
	mu   sync.Mutex
	sent []activities.SendResultInput
}

// results are in the order in which they were sent off.
func (r *told) results() []activities.SendResultInput {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.sent, func(a, b activities.SendResultInput) int { return a.Sequence - b.Sequence })
	return slices.Clone(r.sent)
}

// receives is a receiver that takes its time and ends with err.
func (w *world) receives(takes func() time.Duration, err error) *told {
	r := &told{}
	w.OnActivity(acts.SendResult, mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent = append(r.sent, args.Get(1).(activities.SendResultInput)) //nolint:forcetypeassert // a test may panic
	}).AfterFn(takes).Return(func(context.Context, activities.SendResultInput) error { return err })
	return r
}

func (r *told) types() (types []string) {
	for _, in := range r.results() {
		types = append(types, string(in.Type)+" "+string(in.State.Status))
	}
	return types
}

func lasting(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// down ends a delivery that was tried for three days.
var down = temporal.NewNonRetryableApplicationError("503", kyc.ErrorTypeCallbackFailed, nil)

func TestEachStepIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		path []didit.Status // a move an hour, all of which are heard of
		want []string
	}{
		"approved": {[]didit.Status{didit.StatusInProgress, didit.StatusApproved}, []string{"verification.completed Approved"}},
		"asked again, then approved": {
			[]didit.Status{didit.StatusInReview, didit.StatusResubmitted, didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved},
			[]string{
				"verification.in_review In Review", "verification.resubmitted Resubmitted", "verification.in_review In Review",
				"verification.completed Approved",
			},
		},
		"a company in review twice in one attempt": {
			[]didit.Status{didit.StatusInReview, didit.StatusAwaitingUser, didit.StatusInReview, didit.StatusDeclined},
			[]string{"verification.in_review In Review", "verification.completed Declined"},
		},
		"expired":        {[]didit.Status{didit.StatusExpired}, []string{"verification.completed Expired"}},
		"never came":     {nil, []string{"verification.completed Not Started"}},
		"begun and left": {[]didit.Status{didit.StatusInProgress}, []string{"verification.completed In Progress"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 1.05)
			told := l.tells(lasting(time.Minute))
			for i, s := range tc.path {
				at := time.Duration(i+1) * time.Hour
				l.moves(at, s)
				l.hears(at, i+1, at, s)
			}
			got := l.run()
			require.Equal(t, tc.want, told.types())
			require.Equal(t, got, told.results()[len(told.results())-1].State)
			for i, in := range told.results() {
				require.Equal(t, i+1, in.Sequence)
				require.False(t, in.Unasked)
			}
		})
	}
}

func TestWithoutAReceiverNobodyIsTold(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.receives(lasting(0), nil)
	l.moves(time.Hour, didit.StatusApproved)
	l.hears(time.Hour, 1, time.Hour, didit.StatusApproved)
	require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
	require.Empty(t, told.results())
}

// Telling of a review does not hold up the verification, and the end waits for all that is on its way.
func TestASlowReceiverHoldsNothingUp(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.tells(lasting(10 * time.Hour))
	l.moves(time.Hour, didit.StatusInReview)
	l.hears(time.Hour, 1, time.Hour, didit.StatusInReview)
	l.moves(2*time.Hour, didit.StatusDeclined)
	l.hears(2*time.Hour, 2, 2*time.Hour, didit.StatusDeclined)
	l.RegisterDelayedCallback(func() { require.Equal(t, kyc.OutcomeDeclined, l.state().Outcome) }, 2*time.Hour+time.Minute)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.Len(t, told.results(), 2)
	require.Equal(t, 12*time.Hour, l.Now().Sub(beginning).Truncate(time.Minute))
}

func TestAReceiverThatStaysDownLosesNoVerdict(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	l.made.Terms.Results = true
	told := l.receives(lasting(72*time.Hour), down)
	l.moves(time.Hour, didit.StatusApproved)
	l.hears(time.Hour, 1, time.Hour, didit.StatusApproved)
	var waiting []string
	l.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		if all, ok := args.Get(0).(temporal.SearchAttributes); ok {
			if w, ok := all.GetKeyword(temporal.NewSearchAttributeKeyKeyword(kyc.AttributeWaitingFor)); ok {
				waiting = append(waiting, w)
			}
		}
	}).Return(nil)
	require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
	require.Len(t, told.results(), 1)
	require.Equal(t, []string{"callback", ""}, waiting[len(waiting)-2:])
}

func TestNewsWhileTheReceiverIsToldIsNotLost(t *testing.T) {
	for name, tc := range map[string]struct {
		later []didit.Status // after the approval, ten minutes apart
		want  []string
		end   kyc.Outcome
	}{
		"the opposite verdict": {[]didit.Status{didit.StatusDeclined}, []string{"verification.changed Declined"}, kyc.OutcomeDeclined},
		"the same verdict":     {[]didit.Status{didit.StatusApproved}, nil, kyc.OutcomeApproved},
		"there and back": {
			[]didit.Status{didit.StatusDeclined, didit.StatusApproved},
			[]string{"verification.changed Declined", "verification.changed Approved"}, kyc.OutcomeApproved,
		},
		"the verdict is taken back": {
			[]didit.Status{didit.StatusInReview, didit.StatusDeclined},
			[]string{"verification.changed In Review", "verification.changed Declined"}, kyc.OutcomeDeclined,
		},
		"the user must come back": {
			[]didit.Status{didit.StatusResubmitted, didit.StatusInProgress, didit.StatusApproved},
			[]string{"verification.changed Resubmitted", "verification.changed Approved"}, kyc.OutcomeApproved,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 1.05)
			told := l.tells(lasting(10 * time.Hour))
			for i, s := range append([]didit.Status{didit.StatusApproved}, tc.later...) {
				at := time.Hour + time.Duration(i)*10*time.Minute
				l.moves(at, s)
				l.hears(at, i+1, at, s)
			}
			require.Equal(t, tc.end, l.run().Outcome)
			require.Equal(t, append([]string{"verification.completed Approved"}, tc.want...), told.types())
		})
	}
}

// What Didit has yet to confirm is not told, nor what came before it in the same task.
func TestADoubtIsSettledBeforeAnythingIsTold(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.tells(lasting(time.Minute))
	l.moves(9*time.Minute, didit.StatusApproved)
	l.RegisterDelayedCallback(func() {
		l.SignalWorkflowSkippingWorkflowTask(kyc.SignalDiditEvent, ev(beginning.Unix()+60, didit.StatusInReview))
		l.SignalWorkflow(kyc.SignalDiditEvent, ev(beginning.Unix()+540, didit.StatusApproved))
	}, 10*time.Minute) // before the first look
	require.Equal(t, kyc.OutcomeApproved, l.run().Outcome)
	require.Equal(t, []string{"verification.completed Approved"}, told.types())
}

// The user's time was up, and then Didit says that he goes on: the state is older than what was told.
func TestResultsAreOrderedWhereTheStateIsNot(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.tells(lasting(10 * time.Hour))
	l.moves(time.Hour, didit.StatusInProgress)
	l.hears(time.Hour, 1, time.Hour, didit.StatusInProgress)
	l.hears(deadline+time.Hour, 2, 2*time.Hour, didit.StatusAwaitingUser)
	require.Equal(t, kyc.OutcomeAbandoned, l.run().Outcome)
	results := told.results()
	require.Len(t, results, 3)
	for i := range results[1:] {
		require.True(t, results[i+1].State.UpdatedAt.After(results[i].State.UpdatedAt))
	}
}

// News that comes in the very task in which the receiver's answer ends the run.
func TestNewsInTheTaskThatEndsTheDeliveryIsNotLost(t *testing.T) {
	t.Parallel()
	l := newLife(t, 1.05)
	told := l.tells(func() time.Duration { return 0 })
	l.moves(time.Minute, didit.StatusApproved)
	l.hears(time.Minute, 1, time.Minute, didit.StatusApproved)
	sent := false
	l.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(mock.Arguments) {
		if len(told.results()) == 0 && l.saw == didit.StatusApproved && !sent {
			sent = true
			l.path, l.moved = append(l.path, didit.StatusDeclined), append(l.moved, l.Now())
			l.SignalWorkflowSkippingWorkflowTask(kyc.SignalDiditEvent, ev(beginning.Unix()+61, didit.StatusDeclined))
		}
	}).Return(nil)
	require.Equal(t, kyc.OutcomeDeclined, l.run().Outcome)
	require.True(t, sent)
	require.Equal(t, []string{"verification.completed Approved", "verification.changed Declined"}, told.types())
}

// A session that is deleted at Didit takes no verdict with it that was told.
func TestAToldVerdictOutlivesItsSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := made
	m.Terms.Results = true
	w.OnActivity(acts.CreateSession, mock.Anything, mock.Anything).Return(m, nil)
	told := w.receives(lasting(time.Hour), nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(func(context.Context, activities.ReadDecisionInput) (activities.Decision, error) {
		if w.truth == didit.StatusDeclined {
			return activities.Decision{}, temporal.NewNonRetryableApplicationError("404", kyc.ErrorTypeNotFound, nil)
		}
		return activities.Decision{Status: w.truth}, nil
	})
	w.at(time.Minute, didit.StatusApproved, ev(2, didit.StatusApproved)).at(2*time.Minute, didit.StatusDeclined, ev(3, didit.StatusDeclined))
	require.Equal(t, kyc.OutcomeApproved, w.run().Outcome)
	require.Equal(t, []string{"verification.completed Approved"}, told.types())
}

// Whatever comes when, and however long the receiver takes: what it is told last is how the verification ended.
func TestTheReceiverHearsTheTruthLast(t *testing.T) {
	first, last := workflows.Seeds(300)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			l, sends := randomLife(t, seed), workflows.Random(seed+1<<33)
			var mu sync.Mutex
			told := l.tells(func() time.Duration {
				mu.Lock()
				defer mu.Unlock()
				return moment(sends.IntN, 0, 0, time.Second, time.Hour, 72*time.Hour)
			})
			got := l.run()
			requireTruth(t, l, got)
			require.NotEmpty(t, told.results())
			results := told.results()
			end := results[len(told.results())-1].State
			require.Equal(t, []any{got.Status, got.Outcome, got.Attempt}, []any{end.Status, end.Outcome, end.Attempt})
			for i, in := range results {
				require.Equal(t, i+1, in.Sequence)
				require.NotEmpty(t, in.Type)
				if i > 0 {
					require.True(t, in.State.UpdatedAt.After(results[i-1].State.UpdatedAt), "results can be ordered by updated_at")
				}
			}
		})
	}
}
