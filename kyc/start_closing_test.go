package kyc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// closing is a frontend whose run is open when it is asked how the user stands, and closed when it is asked for more.
type closing struct {
	*aRun
	starts int
}

func (c *closing) ExecuteMultiOperation(_ context.Context, r *workflowservice.ExecuteMultiOperationRequest) (*workflowservice.ExecuteMultiOperationResponse, error) {
	c.starts++
	outcome := session()
	if c.starts == 1 {
		outcome = &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: c.payloads(kyc.Session{SessionID: "s0"})}}
	}
	return &workflowservice.ExecuteMultiOperationResponse{Responses: []*workflowservice.ExecuteMultiOperationResponse_Response{
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_StartWorkflow{StartWorkflow: &workflowservice.StartWorkflowExecutionResponse{
			RunId: runID, Started: c.starts > 1, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		}}},
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_UpdateWorkflow{UpdateWorkflow: &workflowservice.UpdateWorkflowExecutionResponse{
			Stage: stageCompleted, Outcome: outcome, UpdateRef: ref(r.GetOperations()[1].GetUpdateWorkflow().GetRequest().GetMeta().GetUpdateId()),
		}}},
	}}, nil
}

func (c *closing) UpdateWorkflowExecution(context.Context, *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	return nil, asStatus(serviceerror.NewNotFound("workflow execution already completed"))
}

func TestARunThatClosesBeforeItIsAskedForAnotherSessionIsFollowedByOneThatMakesIt(t *testing.T) {
	t.Parallel()
	f := &closing{aRun: &aRun{t: t, closed: make(chan struct{}), state: kyc.State{
		UserID: "u1", SessionID: "s0", Status: didit.StatusExpired, Outcome: kyc.OutcomeExpired,
	}}}
	close(f.closed)
	got, err := dial(t, f).Start(t.Context(), kyc.Input{UserID: "u1"})
	require.NoError(t, err)
	require.Equal(t, "https://didit.example/s1", got.Session.URL)
	require.Equal(t, 2, f.starts)
}
