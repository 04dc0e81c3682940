package workflows_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"

	"didit-temporal/didit"
)

// historyLimit is what no verification may reach, so that none needs continue-as-new.
const historyLimit = 4000

// commands are what makes a history grow.
type commands struct{ timers, fired, activities, signals, updates, upserts int }

// events is how many the server writes at most. The test environment has no history, so this counts for it: the server
// writes started and completed around a run, scheduled, started and completed for an activity however often it is tried,
// started and fired for a timer, one for a signal and for an upsert, accepted and completed for an update. What wakes the
// workflow (its start, an activity's end, a timer, a signal, an update) also costs a workflow task: scheduled, started,
// completed. TestTheServerWritesNoMoreThanIsCounted holds it against histories that a server wrote.
func (c commands) events() int {
	const task = 3
	return 1 + task + 1 + c.timers + c.fired*(1+task) + c.activities*(3+task) + c.signals*(1+task) + c.updates*(2+task) + c.upserts
}

func (c commands) String() string {
	return fmt.Sprintf("%d events: %d timers, %d fired, %d activities, %d signals, %d updates, %d upserts",
		c.events(), c.timers, c.fired, c.activities, c.signals, c.updates, c.upserts)
}

// longLife is a life whose commands are counted. Its intervals are as short as the spread allows.
func longLife(t *testing.T) (*life, *commands) {
	t.Helper()
	l, c := newLife(t, 1.05), &commands{updates: 1}
	l.SetOnTimerScheduledListener(func(string, time.Duration) { c.timers++ })
	l.SetOnTimerFiredListener(func(string) { c.fired++ })
	l.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) { c.activities++ })
	l.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(mock.Arguments) { c.upserts++ }).Return(nil)
	return l, c
}

func TestAYearInReviewStaysWithinItsHistory(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, heard := range map[string]bool{"heard of": true, "found by looks": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, c := longLife(t)
			for i, s := range []didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved} {
				at := []time.Duration{time.Minute, time.Hour, year}[i]
				l.moves(at, s)
				if heard {
					l.hears(at, i+1, at, s)
					c.signals++
				}
			}
			require.Equal(t, didit.StatusApproved, l.run().Status)
			t.Log(c)
			require.GreaterOrEqual(t, len(l.looks), 345, "a look every 25.2 hours")
			require.Less(t, c.events(), historyLimit)
		})
	}
}

// Fifty rounds fit at any pace up to a move a day, which is a life of a hundred days. Slower ones are not promised to: a
// life of more than a year outgrows the looks of a year.
func TestFiftyResubmissionsStayWithinTheirHistory(t *testing.T) {
	people := []didit.Status{didit.StatusResubmitted, didit.StatusInReview}
	companies := []didit.Status{didit.StatusResubmitted, didit.StatusAwaitingUser, didit.StatusInReview}
	for name, tc := range map[string]struct {
		pace  time.Duration
		round []didit.Status
	}{
		"of a person, a move a minute":        {time.Minute, people},
		"of a person, a move in ten minutes":  {10 * time.Minute, people},
		"of a person, a move an hour":         {time.Hour, people},
		"of a person, a move in six hours":    {6 * time.Hour, people},
		"of a person, a move a day":           {24 * time.Hour, people},
		"of a company, a move a minute":       {time.Minute, companies},
		"of a company, a move in ten minutes": {10 * time.Minute, companies},
		"of a company, a move in six hours":   {6 * time.Hour, companies},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, c := longLife(t)
			path := []didit.Status{didit.StatusInProgress, didit.StatusInReview}
			for range 50 {
				path = append(path, tc.round...)
			}
			path = append(path, didit.StatusApproved)
			for i, s := range path {
				at := time.Duration(i+1) * tc.pace
				l.moves(at, s)
				l.hears(at, i+1, at, s)
				c.signals++
			}
			require.Equal(t, 51, l.run().Attempt)
			t.Log(c)
			require.Less(t, c.events(), historyLimit)
		})
	}
}

// A receiver costs six events a message. The server warns at 10,240.
func TestFiftyResubmissionsThatAreToldFitIntoAHistory(t *testing.T) {
	t.Parallel()
	l, c := longLife(t)
	l.tells(lasting(time.Second))
	for i := range 50 {
		for j, s := range []didit.Status{didit.StatusInReview, didit.StatusResubmitted, didit.StatusAwaitingUser} {
			move := 3*i + j + 1
			at := time.Duration(move) * 6 * time.Hour
			l.moves(at, s)
			l.hears(at, move, at, s)
			c.signals++
		}
	}
	l.moves(151*6*time.Hour, didit.StatusApproved)
	l.hears(151*6*time.Hour, 151, 151*6*time.Hour, didit.StatusApproved)
	c.signals++
	require.Equal(t, 51, l.run().Attempt)
	t.Log(c)
	require.Less(t, c.events(), historyLimit+6*101)
}

func TestTheServerWritesNoMoreThanIsCounted(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		var c commands
		history := load(t, f)
		for _, e := range history.Events {
			switch e.EventType {
			case enumspb.EVENT_TYPE_TIMER_STARTED:
				c.timers++
			case enumspb.EVENT_TYPE_TIMER_FIRED:
				c.fired++
			case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
				c.activities++
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
				c.signals++
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
				c.updates++
			case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, enumspb.EVENT_TYPE_MARKER_RECORDED: // a version is one event too
				c.upserts++
			}
		}
		require.LessOrEqual(t, len(history.Events), c.events(), f)
		require.Greater(t, 2*len(history.Events), c.events(), f)
	}
}
