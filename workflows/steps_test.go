package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const (
	day      = 24 * time.Hour
	deadline = 8 * day
	never    = 5 * 365 * day
)

const (
	notStarted, inProgress, awaitingUser = didit.StatusNotStarted, didit.StatusInProgress, didit.StatusAwaitingUser
	inReview, resubmitted                = didit.StatusInReview, didit.StatusResubmitted
	approved, declined                   = didit.StatusApproved, didit.StatusDeclined
	expired, abandoned, kycExpired       = didit.StatusExpired, didit.StatusAbandoned, didit.StatusKycExpired
)

var jo = kyc.Operator{Actor: "jo", Reason: "documents-checked:CASE-1042"}

// patient polls nothing before the deadline, so that a test can count the reads.
func patient(s *activities.Settings) { s.SessionDeadline, s.ReconcileAfter = deadline, never }

// usual are the default settings.
func usual(s *activities.Settings) {
	s.SessionDeadline, s.ReconcileAfter, s.SessionCap = deadline, 15*time.Minute, 3
}

// step is what happens at a time after the beginning of a life.
type step struct {
	at time.Duration
	do func(*life)
}

// changes is a move at Didit whose webhook arrives.
func changes(at time.Duration, s didit.Status) step {
	return step{at, func(l *life) { l.moves(l.newest(), s, false) }}
}

// loses is a move at Didit whose webhook is lost.
func loses(at time.Duration, s didit.Status) step {
	return step{at, func(l *life) { l.moves(l.newest(), s, true) }}
}

// webhookOnly is a webhook without a move.
func webhookOnly(at time.Duration, s didit.Status) step {
	return step{at, func(l *life) { l.webhook(l.event(l.newest(), s)) }}
}

// waits lets time pass.
func waits(until time.Duration) step { return step{until, func(*life) {}} }

func (l *life) newest() *fakeSession { return l.didit.sessions[len(l.didit.sessions)-1] }

// follow lets steps happen, in the order of their times.
func (l *life) follow(steps ...step) *life {
	l.t.Helper()
	before := time.Duration(0)
	for _, s := range steps {
		require.GreaterOrEqual(l.t, s.at, before)
		l.then(s.at-before, func() { s.do(l) })
		before = s.at
	}
	l.live()
	require.Empty(l.t, l.problem)
	return l
}

// start is a START at the beginning of a life.
func start(into **answer) step { return again(0, kyc.Input{}, into) }

// again is a START, whose answer goes to into, if that is set.
func again(at time.Duration, in kyc.Input, into **answer) step {
	return step{at, func(l *life) {
		a := &answer{}
		if into != nil {
			*into = a
		}
		l.startInto(in, a)
	}}
}

// lives is a life that begins with a START.
func lives(tb testing.TB, settings func(*activities.Settings), steps ...step) *life {
	tb.Helper()
	return newLife(tb, settings).follow(append([]step{start(nil)}, steps...)...)
}

// reply collects what an update of an operator answers.
type reply struct {
	state kyc.State
	err   error
	done  bool
}

func (r *reply) Accept()          {}
func (r *reply) Reject(err error) { r.err, r.done = err, true }
func (r *reply) Complete(v any, err error) {
	r.err, r.done = err, true
	if s, ok := v.(kyc.State); ok {
		r.state = s
	}
}

// asks is an update of an operator.
func asks(at time.Duration, update string, arg any, into *reply) step {
	return step{at, func(l *life) { l.env.UpdateWorkflow(update, "", into, arg) }}
}

// down lets the callback endpoint fail for a while: no longer than the test environment, unlike the server, tries.
func down(at, lasts time.Duration) step {
	return step{at, func(l *life) { l.downUntil = l.clock().Add(lasts) }}
}

// presses is Temporal's own button Cancel.
func presses(at time.Duration) step { return step{at, func(l *life) { l.env.CancelWorkflow() }} }

// noteList notes what the list shows after a change.
func (l *life) noteList(args mock.Arguments) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.terminated {
		return
	}
	changes, _ := args.Get(0).(temporal.SearchAttributes)
	for _, name := range []string{kyc.AttributeErrorType, kyc.AttributeDeadline} { // the SDK shows only by %v that one is unset
		if strings.Contains(fmt.Sprintf("%v", changes), name) {
			delete(l.list, name)
		}
	}
	for k, v := range changes.GetUntypedValues() {
		l.list[k.GetName()] = v
	}
	l.listed = append(l.listed, maps.Clone(l.list))
}

// searchAttributes are those of a line of the list.
func searchAttributes(line map[string]any) temporal.SearchAttributes {
	var all []temporal.SearchAttributeUpdate
	for name, v := range line {
		switch v := v.(type) {
		case string:
			all = append(all, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(v))
		case int64:
			all = append(all, temporal.NewSearchAttributeKeyInt64(name).ValueSet(v))
		case time.Time:
			all = append(all, temporal.NewSearchAttributeKeyTime(name).ValueSet(v))
		}
	}
	return temporal.NewSearchAttributes(all...)
}

// column is what the list showed in one column, after each change.
func (l *life) column(name string) (all []any) {
	for _, line := range l.listed {
		if v := line[name]; len(all) == 0 || all[len(all)-1] != v {
			all = append(all, v)
		}
	}
	return all
}

// details is the sentence on the page of the newest run.
func (l *life) details() string {
	answer, err := l.latest.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(l.t, err)
	var m sdkpb.WorkflowMetadata
	require.NoError(l.t, answer.Get(&m))
	return m.GetCurrentDetails()
}

// slow makes an activity take its time in every run.
func (l *life) slow(activity any, takes func() time.Duration) *life {
	before := l.prepare
	l.prepare = func(env *testsuite.TestWorkflowEnvironment) {
		before(env)
		env.OnActivity(activity, mock.Anything, mock.Anything).AfterFn(takes).Return(activity)
	}
	return l
}

func lasting(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// failing lets the next calls of one kind fail.
func (l *life) failing(call string, errs ...error) *life {
	before := l.didit.fault
	l.didit.fault = func(c string) error {
		if c != call || len(errs) == 0 {
			return before(c)
		}
		err := errs[0]
		errs = errs[1:]
		return err
	}
	return l
}

// times repeats an error.
func times(n int, err error) (all []error) {
	for range n {
		all = append(all, err)
	}
	return all
}

func answered(code int) error { return &didit.APIError{StatusCode: code, Detail: "Not found."} }

// typeOf is the type of an error, as callers see it.
func typeOf(err error) string {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return ""
	}
	return app.Type()
}

// posted are the types and statuses of the results, oldest first.
func (l *life) posted() (all []string) {
	for _, r := range l.results {
		all = append(all, string(r.Type)+" "+string(r.Data.Status))
	}
	return all
}

// counting counts the activities of a name that are started in any run, tries and local ones left out.
func (l *life) counting(name string, n *int) {
	before := l.prepare
	l.prepare = func(env *testsuite.TestWorkflowEnvironment) {
		before(env)
		env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
			if info.ActivityType.Name == name && info.Attempt == 1 {
				*n++
			}
		})
	}
}
