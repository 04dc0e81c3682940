package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// Who has no key cannot sign an event. A key that is missing is another matter: then the workflow waits for it.
func TestASignalThatDoesNotDecryptIsDropped(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{payloadKeys: newKey(t, "a")})
	url := s.begin("u1").Session.URL
	_, err := s.Temporal().WorkflowService().SignalWorkflowExecution(s.within(timeout), &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("u1")},
		SignalName: kyc.SignalDiditEvent, Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{"encoding": []byte(codec.Encoding), codec.MetadataKeyID: []byte("a")}, Data: []byte("too short"),
		}}},
	})
	require.NoError(t, err)
	s.press(url, "approve")
	s.status("u1", didit.StatusApproved)
}

// What is encrypted for one user says nothing about another, even in the hands of a program that may write to the namespace.
func TestAnEncryptedRequestCannotBeMovedToAnotherUser(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{payloadKeys: newKey(t, "a")})
	s.begin("u1")
	url := s.begin("u2").Session.URL
	_, err := s.Cancel(s.within(timeout), "u1", ops.Request{Operator: jo})
	require.NoError(t, err)
	i := slices.IndexFunc(s.history("u1"), func(ev *historypb.HistoryEvent) bool {
		return ev.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput().GetName() == kyc.UpdateCancel
	})
	require.GreaterOrEqual(t, i, 0)
	moved := s.history("u1")[i].GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest()
	moved.Meta.UpdateId = "moved"
	answer, err := s.Temporal().WorkflowService().UpdateWorkflowExecution(s.within(timeout), &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: s.Namespace(), WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("u2")}, Request: moved,
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
	})
	require.NoError(t, err)
	require.NotNil(t, answer.GetOutcome().GetFailure())
	s.press(url, "approve")
	s.status("u2", didit.StatusApproved)
}
