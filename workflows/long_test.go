package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
)

// historyLimit is what no verification may reach, so that none needs continue-as-new.
const historyLimit = 4000

// commands are what makes a history grow.
type commands struct{ timers, fired, activities, markers, signals, updates, upserts int }

// events is how many the server writes at most. The test environment has no history, so this counts for it: the server
// writes started and completed around a run, scheduled, started and completed for an activity however often it is tried,
// one for a local activity, a signal and an upsert, started and fired for a timer, accepted and completed for an update.
// What wakes the workflow (its start, an activity's end, a timer, a signal, an update) also costs a workflow task:
// scheduled, started, completed.
func (c commands) events() int {
	const task = 3
	return 1 + task + 1 + c.timers + c.fired*(1+task) + c.activities*(3+task) + c.markers + c.signals*(1+task) + c.updates*(2+task) + c.upserts
}

func (c commands) String() string {
	return fmt.Sprintf("%d events: %d timers, %d fired, %d activities, %d local ones, %d signals, %d updates, %d upserts",
		c.events(), c.timers, c.fired, c.activities, c.markers, c.signals, c.updates, c.upserts)
}

// longLife counts the commands of a life. Its intervals are the shortest that the spread allows.
func longLife(t *testing.T, steps ...step) (*life, commands) {
	t.Helper()
	l, c := newLife(t, usual, func(s *activities.Settings) { s.SessionDeadline = 60 * day }), commands{updates: 1}
	l.acts.Spread = func() float64 { return 0 }
	l.prepare = func(env *testsuite.TestWorkflowEnvironment) {
		env.SetOnTimerScheduledListener(func(string, time.Duration) { c.timers++ })
		env.SetOnTimerFiredListener(func(string) { c.fired++ })
		env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
			if info.Attempt == 1 {
				c.activities++
			}
		})
		env.SetOnLocalActivityStartedListener(func(*activity.Info, context.Context, []any) { c.markers++ })
	}
	l.follow(append([]step{start(nil)}, steps...)...)
	c.signals, c.upserts = l.events, len(l.listed)
	t.Log(c)
	require.Equal(t, 1, l.runs)
	require.False(t, l.terminated)
	return l, c
}

func TestAYearInReviewStaysWithinItsHistory(t *testing.T) {
	for name, arrives := range map[string]func(time.Duration, didit.Status) step{"by webhooks": changes, "found by polls": loses} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, c := longLife(t, arrives(time.Minute, inProgress), arrives(time.Hour, inReview), arrives(365*day, approved))
			require.Equal(t, approved, l.state().Status)
			require.GreaterOrEqual(t, len(l.didit.reads), 345, "a poll every 25.2 hours")
			require.Less(t, c.events(), historyLimit)
		})
	}
}

// Fifty rounds fit at any pace up to a move a day, which is a life of a hundred days. A callback costs two events more.
func TestFiftyResubmissionsStayWithinTheirHistory(t *testing.T) {
	people := []didit.Status{resubmitted, inReview}
	companies := []didit.Status{resubmitted, awaitingUser, inReview}
	for name, tc := range map[string]struct {
		pace  time.Duration
		round []didit.Status
	}{
		"a minute": {time.Minute, people}, "an hour": {time.Hour, people}, "a day": {day, people},
		"a minute, companies": {time.Minute, companies}, "an hour, companies": {time.Hour, companies}, "a day, companies": {day, companies},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := []didit.Status{inProgress, inReview}
			for range 50 {
				path = append(path, tc.round...)
			}
			steps := []step{}
			for i, s := range append(path, approved) {
				steps = append(steps, changes(time.Duration(i+1)*tc.pace, s))
			}
			l, c := longLife(t, steps...)
			require.Equal(t, 51, l.state().Attempt)
			require.Less(t, c.events(), historyLimit)
		})
	}
}

// The happy path is the one that most users take.
func TestTheHappyPathIsShort(t *testing.T) {
	_, c := longLife(t, changes(time.Minute, inProgress), changes(2*time.Minute, approved))
	require.LessOrEqual(t, c.events(), 36, "the server, which puts several commands into one task, writes 32")
	require.LessOrEqual(t, c.upserts, 4)
}

// actions is how many actions Temporal Cloud bills: docs/operations/cloud.md has the sums.
func (c commands) actions() int {
	return 1 + c.updates + c.activities + c.timers + c.markers + c.signals + c.upserts
}

// The shortest intervals between two polls, so the most of them: someone who never opens the link, until Didit's session expires.
func TestAPersonWhoNeverComesCostsFewActions(t *testing.T) {
	l, c := longLife(t, changes(7*day, expired))
	require.Equal(t, expired, l.state().Status)
	require.Equal(t, 12, c.timers-1, "polls")
	require.LessOrEqual(t, c.actions(), 34)
}
