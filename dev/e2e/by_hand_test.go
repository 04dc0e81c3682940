package e2e

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

func TestAnOperationActsOnceHoweverOftenItIsReset(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	began := s.bring("u1", "review", false)
	id := uuid.NewString()
	_, err := s.Operate(s.within(timeout), kyc.Operation{UserID: "u1", Verb: kyc.VerbApprove, Operator: jo, ID: id})
	require.NoError(t, err)
	s.status("u1", didit.StatusApproved)
	_, err = s.Operate(s.within(timeout), kyc.Operation{UserID: "u1", Verb: kyc.VerbDecline, Operator: jo})
	require.NoError(t, err)
	s.status("u1", didit.StatusDeclined)

	operation := kyc.OperationID("u1", kyc.VerbApprove, id)
	s.reset(operation)
	require.ErrorContains(t, s.Temporal().GetWorkflow(s.within(timeout), operation, "").Get(s.within(timeout), nil), kyc.ErrorTypeRefused)
	require.Len(t, s.comments(began.Session.SessionID), 2)
	at, _ := s.sim.Session(began.Session.SessionID)
	require.Equal(t, didit.StatusDeclined, at.Status)
	require.Equal(t, kyc.OutcomeDeclined, s.stateOf("u1").Outcome)
	s.recordRun(operation, "operation-reset")
}

// startLikeThisOne is the Web UI's button: the same id, type, queue, input and search attributes.
func (l *life) startLikeThisOne(input any) {
	l.t.Helper()
	desc, err := l.Describe(l.within(timeout), l.user, "")
	require.NoError(l.t, err)
	payload, err := converter.GetDefaultDataConverter().ToPayloads(input)
	require.NoError(l.t, err)
	_, err = l.Temporal().WorkflowService().StartWorkflowExecution(l.within(timeout), &workflowservice.StartWorkflowExecutionRequest{
		Namespace: l.Namespace(), WorkflowId: kyc.WorkflowID(l.user), WorkflowType: &commonpb.WorkflowType{Name: kyc.WorkflowVerification},
		TaskQueue: desc.GetExecutionConfig().GetTaskQueue(), Input: payload, RequestId: uuid.NewString(),
		SearchAttributes: desc.GetWorkflowExecutionInfo().GetSearchAttributes(),
	})
	require.NoError(l.t, err)
}

func TestAStartByHandHidesNoVerdict(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	atTheSameTime(t, options{}, map[string]func(*life){
		"started like this one after a verdict": func(l *life) {
			a := l.decided("approve")
			for range 3 {
				l.startLikeThisOne(map[string]any{"user_id": l.user})
				l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			}
			require.Len(l.t, l.inbox.results(l.user), 1)
			l.record(l.user, "started-by-hand")
		},
		"started like this one after a failure": func(l *life) {
			l.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusBadRequest, VendorData: l.user})
			l.start("")
			require.Equal(l.t, kyc.OutcomeFailed, l.closed(l.user).Outcome)
			l.startLikeThisOne(map[string]any{"user_id": l.user})
			l.status(l.user, didit.StatusNotStarted)
			l.eventually(func() bool {
				return l.finds("WorkflowId = 'kyc-" + l.user + "' AND ExecutionStatus = 'Running' AND KycErrorType IS NULL AND KycWaitingFor = 'user'")
			}, "the list is true")
			require.Zero(l.t, l.count("WorkflowId = 'kyc-"+l.user+"' AND ExecutionStatus = 'Running' AND KycOutcome = 'failed'"))
			require.Equal(l.t, 1, l.sessionsOf(l.user))
		},
		"an invalid start over a verdict": func(l *life) {
			a := l.decided("approve")
			l.startLikeThisOne(map[string]any{"user_id": l.user, "priority": "high"})
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
			l.record(l.user, "invalid-start-over-a-verdict")
		},
	})
}

func TestHandTypedUpdatesAreRefused(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	huge := strings.Repeat("x", 1<<20)
	atTheSameTime(t, options{}, map[string]func(*life){
		"an oversized update": func(l *life) {
			a := l.began()
			for name, arg := range map[string]any{
				kyc.UpdateSession: map[string]any{"user_id": l.user, "language": huge}, kyc.UpdateRefresh: map[string]any{"actor": "jo", "reason": huge},
			} {
				require.ErrorContains(l.t, l.update(name, arg), kyc.ErrorTypeInvalidInput, name)
			}
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
		"an erasure that no operation sends": func(l *life) {
			a := l.began()
			err := l.update(kyc.UpdateErase, map[string]any{"actor": "jo", "reason": "request:CASE-1"})
			require.ErrorContains(l.t, err, kyc.ErrorTypeInvalidInput)
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
	})
}

func (l *life) update(name string, arg any) error {
	l.t.Helper()
	update, err := l.Temporal().UpdateWorkflow(l.within(timeout), client.UpdateWorkflowOptions{
		WorkflowID: kyc.WorkflowID(l.user), UpdateName: name, WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{arg},
	})
	if err != nil {
		return err
	}
	return update.Get(l.within(timeout), nil)
}

func TestTheCauseIsNamed(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	atTheSameTime(t, options{}, map[string]func(*life){
		"another program has the id": func(l *life) {
			_, err := l.Temporal().ExecuteWorkflow(l.within(timeout), client.StartWorkflowOptions{
				ID: kyc.WorkflowID(l.user), TaskQueue: "of-another-program",
			}, "Cleanup")
			require.NoError(l.t, err)
			for _, r := range []reply{l.get("/" + l.user), l.start("")} {
				require.Equal(l.t, http.StatusConflict, r.code, r.raw)
				require.Equal(l.t, "/problems/id-taken", r.Problem.Type)
				require.Contains(l.t, r.Problem.Detail, "Cleanup")
			}
			require.NoError(l.t, l.terminate(l.t.Context(), kyc.WorkflowID(l.user), ""))
		},
		"an operator has paused the workflow": func(l *life) {
			a := l.began()
			id := kyc.WorkflowID(l.user)
			_, err := l.Temporal().WorkflowService().PauseWorkflowExecution(l.within(timeout), &workflowservice.PauseWorkflowExecutionRequest{
				Namespace: l.Namespace(), WorkflowId: id, Identity: "jo", Reason: "a test", RequestId: uuid.NewString(),
			})
			var off *serviceerror.Unimplemented
			if errors.As(err, &off) || err != nil && strings.Contains(err.Error(), "not enabled") {
				l.t.Skip("this server does not pause workflows:", err)
			}
			require.NoError(l.t, err)
			for _, r := range []reply{l.get("/" + l.user), l.start("")} {
				require.Equal(l.t, http.StatusConflict, r.code, r.raw)
				require.Equal(l.t, "/problems/paused", r.Problem.Type)
			}
			_, err = l.Temporal().WorkflowService().UnpauseWorkflowExecution(l.within(timeout), &workflowservice.UnpauseWorkflowExecutionRequest{
				Namespace: l.Namespace(), WorkflowId: id, Identity: "jo", RequestId: uuid.NewString(),
			})
			require.NoError(l.t, err)
			l.press(a.URL, "approve")
			l.shows(a.SessionID, didit.StatusApproved)
			l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
		},
		"an operator has paused an activity": func(l *life) {
			l.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 1000, VendorData: l.user})
			ctx, stop := context.WithCancel(l.t.Context())
			defer stop()
			go func() { _, _ = l.Start(ctx, kyc.Input{UserID: l.user}) }()
			l.eventually(func() bool {
				return l.finds("WorkflowId = 'kyc-" + l.user + "' AND KycWaitingFor = 'didit'")
			}, "the create fails")
			l.eventually(func() bool {
				_, err := l.Temporal().WorkflowService().PauseActivity(l.within(timeout), &workflowservice.PauseActivityRequest{
					Namespace: l.Namespace(), Execution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(l.user)}, Identity: "jo",
					Activity: &workflowservice.PauseActivityRequest_Type{Type: "CreateSession"}, Reason: "a test",
				})
				return err == nil
			}, "the activity is pending")
			found, err := l.Find(l.within(timeout), l.user)
			require.NoError(l.t, err)
			require.Len(l.t, found.Paused, 1)
			require.Equal(l.t, "CreateSession", found.Paused[0].Activity)
			require.Equal(l.t, "jo", found.Paused[0].By)
			require.False(l.t, found.Paused[0].Since.IsZero())
		},
	})
}

// A run takes 10,000 signals. Then what a webhook says is read from Didit.
func TestAFloodOfSignalsEndsInTheTruth(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	b := newInbox(t)
	s := start(t, options{resultURL: b.URL})
	l := &life{served: serveAPI(s), inbox: b, user: "flooded"}
	a := l.began()
	full := false
	for range 11_000 {
		_, err := s.Temporal().WorkflowService().SignalWorkflowExecution(s.within(timeout), &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID(l.user)},
			SignalName: "nothing-of-ours", RequestId: uuid.NewString(),
		})
		if full = err != nil; full {
			require.ErrorContains(t, err, "limit for signal events")
			break
		}
	}
	require.True(t, full)
	l.press(a.URL, "approve")
	l.shows(a.SessionID, didit.StatusApproved)
	l.atRest(a.SessionID, kyc.OutcomeApproved, 1)
	s.eventually(func() bool {
		newest := map[string]int{}
		for _, d := range s.sim.Deliveries() {
			newest[d.EventID] = d.Code
		}
		return !slices.ContainsFunc(slices.Collect(maps.Values(newest)), func(code int) bool { return code != http.StatusOK })
	}, "every event is accepted: a busy server may refuse one for a while, but not for good")
}
