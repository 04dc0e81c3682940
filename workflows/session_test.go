package workflows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

var refused = map[string]error{
	kyc.ErrorTypeUnauthorized: answered(401), kyc.ErrorTypeOutOfCredit: answered(402), kyc.ErrorTypeRejected: answered(400), kyc.ErrorTypeNotFound: answered(404),
}

// Every caller who waits for a session that is refused learns why, and so does the callback endpoint.
func TestRefusalsOfDiditEndWithoutASession(t *testing.T) {
	for kind, err := range refused {
		t.Run(kind, func(t *testing.T) {
			var first, second *answer
			l := newLife(t, patient).failing("create", err)
			l.slow(l.acts.CreateSession, lasting(time.Hour))
			l.follow(start(&first), again(time.Minute, kyc.Input{}, &second))
			require.Equal(t, kyc.OutcomeFailed, l.state().Outcome)
			require.Equal(t, kind, l.state().ErrorType)
			require.Equal(t, []string{kind, kind}, []string{typeOf(first.err), typeOf(second.err)})
			require.Equal(t, []string{"verification.failed "}, l.posted())
			require.Equal(t, []any{nil, kind}, l.column(kyc.AttributeErrorType))
		})
	}
}

// A refusal is about one request. The user who comes back while it is still being reported gets a session.
func TestARefusalDoesNotOutliveItsRequest(t *testing.T) {
	var second *answer
	l := newLife(t, patient).failing("create", answered(402))
	l.downUntil = l.now.Add(5 * time.Minute)
	l.follow(start(nil), again(time.Minute, kyc.Input{}, &second), waits(time.Hour))
	require.NoError(t, second.err)
	require.Equal(t, link(l.newest()), second.session.URL)
	require.Equal(t, 1, l.runs)
	require.Empty(t, l.state().ErrorType)
}

// Who waits in the queue and who waits for a Didit that does not answer look different in the list.
func TestAnOutageOfDiditIsRetried(t *testing.T) {
	closed := &didit.APIError{StatusCode: 503, RetryAfter: 2 * time.Minute}
	for name, tc := range map[string]struct {
		call  string
		errs  []error
		shows []any
	}{
		"too many calls":        {"create", times(9, answered(429)), []any{"limit", "user"}},
		"closed":                {"create", []error{closed}, []any{"limit", "didit", "user"}},
		"closed for long":       {"create", times(9, closed), []any{"limit", "didit", "user"}},
		"no list":               {"list", times(9, answered(503)), []any{"limit", "didit", "user"}},
		"the answer is lost":    {"created", []error{errLost}, []any{"limit", "didit", "user"}},
		"lost nine times":       {"created", times(9, errLost), []any{"limit", "didit", "user"}},
		"cannot be read either": {"read", times(8, answered(503)), []any{"limit", "didit", "user"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			l := newLife(t, patient).failing(tc.call, tc.errs...)
			if tc.call == "read" {
				l.failing("created", errLost)
			}
			l.follow(start(&a), waits(5*time.Hour))
			require.NoError(t, a.err)
			require.Equal(t, link(l.newest()), a.session.URL)
			require.Len(t, l.didit.sessions, 1, "no second session is paid")
			require.Equal(t, tc.shows, l.column(kyc.AttributeWaitingFor))
			if len(tc.shows) > 2 {
				require.Equal(t, []any{nil, kyc.ErrorTypeUnavailable, nil}, l.column(kyc.AttributeErrorType))
			}
		})
	}
}

// A worker that dies between sending and reporting is like an answer that is lost.
func TestAWorkerThatDiesAtTheCreateBuysOneSession(t *testing.T) {
	var a *answer
	died := false
	l := newLife(t, patient)
	l.prepare = func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(l.acts.CreateSession, mock.Anything, mock.Anything).
			Return(func(ctx context.Context, in activities.CreateSessionInput) (activities.MadeSession, error) {
				made, err := l.acts.CreateSession(ctx, in)
				if !died {
					died = true
					return activities.MadeSession{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)
				}
				return made, err
			})
	}
	l.follow(start(&a), waits(time.Hour))
	require.True(t, died)
	require.Equal(t, link(l.newest()), a.session.URL)
	require.Len(t, l.didit.sessions, 1)
}

func TestCreateGetsWhatTheInputSays(t *testing.T) {
	var got didit.CreateSessionRequest
	l := newLife(t, patient)
	l.didit.requested = func(r didit.CreateSessionRequest) { got = r }
	in := kyc.Input{WorkflowID: otherFlow, Language: "pt-BR", ReturnURL: "https://shop.example/back", Reverify: true}
	l.follow(again(0, in, nil))
	ours := kyc.MetadataOf(got.Metadata)
	got.Metadata = nil
	require.Equal(t, didit.CreateSessionRequest{WorkflowID: otherFlow, VendorData: user, Language: "pt-BR", Callback: in.ReturnURL}, got)
	require.Equal(t, []any{deployment, 1, true}, []any{ours.Deployment, ours.Attempt, ours.Reverify})
}

// What Didit has of the user decides whether a session is bought.
func TestWhatANewRunMakesOfTheUsersSessions(t *testing.T) {
	ours := json.RawMessage(`{"kyc_deployment":"here","temporal_run_id":"0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10","attempt":1}`)
	theirs := json.RawMessage(`{"kyc_deployment":"elsewhere","temporal_run_id":"0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"}`)
	for _, tc := range []struct {
		name     string
		flow     string
		metadata json.RawMessage
		status   didit.Status
		in       kyc.Input
		bought   int
		want     kyc.Outcome
	}{
		{"ours, not opened", flow, ours, notStarted, kyc.Input{}, 0, ""},
		{"ours, in review", flow, ours, inReview, kyc.Input{}, 0, ""},
		{"ours, approved", flow, ours, approved, kyc.Input{}, 0, kyc.OutcomeApproved},
		{"ours, declined", flow, ours, declined, kyc.Input{}, 0, kyc.OutcomeDeclined},
		{"ours, expired", flow, ours, expired, kyc.Input{}, 1, ""},
		{"ours, lapsed", flow, ours, kycExpired, kyc.Input{}, 1, ""},
		{"ours, approved, and verified again", flow, ours, approved, kyc.Input{Reverify: true}, 1, ""},
		{"another deployment's, approved", flow, theirs, approved, kyc.Input{}, 1, ""},
		{"without metadata, approved", flow, nil, approved, kyc.Input{}, 1, ""},
		{"ours, approved by another flow", otherFlow, ours, approved, kyc.Input{WorkflowID: flow}, 1, ""},
		{"ours, approved by a flow, none is named", otherFlow, ours, approved, kyc.Input{}, 0, kyc.OutcomeApproved},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var a *answer
			l := newLife(t, patient)
			l.didit.add(tc.flow, user, tc.metadata, tc.status)
			l.now = l.now.Add(day)
			l.follow(again(0, tc.in, &a))
			require.NoError(t, a.err)
			require.Len(t, l.didit.sessions, 1+tc.bought)
			require.Equal(t, tc.want, l.state().Outcome)
			require.Equal(t, l.newest().id, l.state().SessionID)
			require.Equal(t, tc.want == "" && l.state().Status != inReview, a.session.URL != "", "a link while there is something to do")
			require.Equal(t, l.newest().flow, l.state().WorkflowID)
		})
	}
}

func TestAllCallersGetTheSameSession(t *testing.T) {
	answers := make([]*answer, 50)
	steps := []step{}
	for i := range answers {
		steps = append(steps, again(time.Duration(i)*time.Second, kyc.Input{}, &answers[i]))
	}
	l := newLife(t, patient)
	l.slow(l.acts.CreateSession, lasting(30*time.Second))
	l.follow(steps...)
	require.Len(t, l.didit.sessions, 1)
	for _, a := range answers {
		require.NoError(t, a.err)
		require.Equal(t, kyc.Session{
			SessionID: l.newest().id, SessionToken: "token-" + l.newest().id, URL: link(l.newest()), Status: notStarted, WorkflowID: flow,
		}, a.session)
	}
}

// A link that was not checked for a minute may be dead, and its webhook lost.
func TestALaterCallerGetsALinkThatWasChecked(t *testing.T) {
	for _, tc := range []struct {
		truth    didit.Status
		sessions int
		reads    int
		after    time.Duration
	}{
		{notStarted, 1, 0, 30 * time.Second}, {notStarted, 1, 1, time.Hour}, {inProgress, 1, 1, time.Hour}, {expired, 1, 1, time.Hour}, {approved, 1, 1, time.Hour},
	} {
		t.Run(fmt.Sprint(tc.truth, " after ", tc.after), func(t *testing.T) {
			var a *answer
			l := lives(t, patient, loses(time.Second, tc.truth), again(tc.after, kyc.Input{}, &a))
			require.NoError(t, a.err)
			require.Len(t, l.didit.reads, tc.reads)
			require.Equal(t, tc.truth, a.session.Status)
			require.Equal(t, unfinished(tc.truth), a.session.URL != "")
		})
	}
}

// A user whose session ended without a verdict gets another one in the same run while its result is being delivered.
func TestAUserWhoComesBackWhileTheEndIsReported(t *testing.T) {
	for _, end := range []didit.Status{expired, abandoned, kycExpired, approved, declined} {
		for _, in := range []kyc.Input{{}, {Reverify: true}} {
			t.Run(fmt.Sprintf("%s, reverify %t", end, in.Reverify), func(t *testing.T) {
				t.Parallel()
				var a *answer
				l := lives(t, patient, down(time.Hour, 5*time.Minute), changes(time.Hour, end), again(time.Hour+time.Minute, in, &a), waits(2*time.Hour))
				bought := in.Reverify || end != approved && end != declined
				require.NoError(t, a.err)
				require.Equal(t, 1, l.runs)
				require.Len(t, l.didit.sessions, map[bool]int{true: 2, false: 1}[bought])
				require.Equal(t, bought, a.session.URL != "")
				require.Equal(t, l.newest().id, l.state().SessionID)
				require.Equal(t, []string{"verification.completed " + string(end)}, l.posted())
			})
		}
	}
}

func TestTheSessionCapKeepsAVerdict(t *testing.T) {
	var a *answer
	l := newLife(t, usual)
	l.acts.Settings.SessionCap = 1
	l.start = time.Now().Add(-time.Hour) // the cap counts the sessions of the last thirty days
	l.now = l.start
	l.follow(start(nil), changes(time.Minute, approved), again(2*time.Minute, kyc.Input{Reverify: true}, &a))
	require.Equal(t, kyc.ErrorTypeSessionCap, typeOf(a.err))
	require.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
	require.Len(t, l.didit.sessions, 1)
}

func TestTheSessionCapEndsARunWithoutAVerdict(t *testing.T) {
	var a *answer
	l := newLife(t, usual)
	l.acts.Settings.SessionCap = 1
	l.start = time.Now().Add(-time.Hour)
	l.now = l.start
	l.follow(start(nil), changes(time.Minute, expired), again(2*time.Minute, kyc.Input{}, &a))
	require.Equal(t, kyc.ErrorTypeSessionCap, typeOf(a.err))
	require.Equal(t, kyc.ErrorTypeSessionCap, l.state().ErrorType)
	require.Equal(t, []string{"verification.completed Expired", "verification.failed "}, l.posted())
}

func TestSessionsOfOtherFlowsStayApart(t *testing.T) {
	var a, b *answer
	l := lives(t, patient, changes(time.Minute, approved), again(time.Hour, kyc.Input{WorkflowID: otherFlow}, &a), again(2*time.Hour, kyc.Input{WorkflowID: otherFlow, Reverify: true}, &b),
		step{3 * time.Hour, func(l *life) { l.moves(l.didit.sessions[0], declined, false) }}) // by a reviewer
	require.Len(t, l.didit.sessions, 2, "who names another flow without reverify gets a 409 from the client")
	require.Equal(t, otherFlow, l.state().WorkflowID)
	require.Equal(t, notStarted, l.state().Status)
	require.Equal(t, []string{"verification.completed Approved"}, l.posted())
}
