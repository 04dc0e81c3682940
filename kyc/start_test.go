package kyc_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	updatepb "go.temporal.io/api/update/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/kyc"
)

// starts is a frontend with one run, which a start of ours made, and a session that is there sooner or later.
type starts struct {
	workflowservice.UnimplementedWorkflowServiceServer
	prompt bool // the session is there at once
	hangs  bool // it never comes

	mu     sync.Mutex
	stages []enumspb.UpdateWorkflowExecutionLifecycleStage // that were asked for
	first  string                                          // request id that made the run
}

const stageCompleted = enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED

func (s *starts) ExecuteMultiOperation(ctx context.Context, r *workflowservice.ExecuteMultiOperationRequest) (*workflowservice.ExecuteMultiOperationResponse, error) {
	start, update := r.GetOperations()[0].GetStartWorkflow(), r.GetOperations()[1].GetUpdateWorkflow()
	stage := update.GetWaitPolicy().GetLifecycleStage()
	made := s.note(start.GetRequestId(), stage)
	if stage == stageCompleted && !s.prompt {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answer := &workflowservice.UpdateWorkflowExecutionResponse{Stage: stage, UpdateRef: ref(update.GetRequest().GetMeta().GetUpdateId())}
	if stage == stageCompleted {
		answer.Outcome = session()
	}
	return &workflowservice.ExecuteMultiOperationResponse{Responses: []*workflowservice.ExecuteMultiOperationResponse_Response{
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_StartWorkflow{StartWorkflow: &workflowservice.StartWorkflowExecutionResponse{
			RunId: runID, Started: made, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		}}},
		{Response: &workflowservice.ExecuteMultiOperationResponse_Response_UpdateWorkflow{UpdateWorkflow: answer}},
	}}, nil
}

// note reports whether this is the start that makes the run.
func (s *starts) note(requestID string, stage enumspb.UpdateWorkflowExecutionLifecycleStage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stages = append(s.stages, stage)
	made := s.first == ""
	if made {
		s.first = requestID
	}
	return made
}

func (s *starts) PollWorkflowExecutionUpdate(ctx context.Context, r *workflowservice.PollWorkflowExecutionUpdateRequest) (*workflowservice.PollWorkflowExecutionUpdateResponse, error) {
	if s.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &workflowservice.PollWorkflowExecutionUpdateResponse{Outcome: session(), Stage: stageCompleted, UpdateRef: r.GetUpdateRef()}, nil
}

func (s *starts) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING},
		WorkflowExtendedInfo: &workflowpb.WorkflowExecutionExtendedInfo{RequestIdInfos: map[string]*workflowpb.RequestIdInfo{
			s.first: {EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventId: 1},
		}},
	}, nil
}

func ref(updateID string) *updatepb.UpdateRef {
	return &updatepb.UpdateRef{WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "kyc-u1", RunId: runID}, UpdateId: updateID}
}

func session() *updatepb.Outcome {
	p, err := converter.GetDefaultDataConverter().ToPayloads(kyc.Session{SessionID: "s1", URL: "https://didit.example/s1"})
	if err != nil {
		panic(err)
	}
	return &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: p}}
}

func TestAPromptSessionCostsOneRequest(t *testing.T) {
	t.Parallel()
	f := &starts{prompt: true}
	got, err := dial(t, f).Start(t.Context(), kyc.Input{UserID: "u1"})
	require.NoError(t, err)
	require.Equal(t, []enumspb.UpdateWorkflowExecutionLifecycleStage{stageCompleted}, f.stages)
	require.Equal(t, runID, got.RunID)
	require.Equal(t, "https://didit.example/s1", got.Session.URL)
	require.True(t, got.New)
}

// The answer that said who made the run was lost with the request that waited too long.
func TestALateSessionIsStillNewToWhoBeganIt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	f := &starts{}
	got, err := dial(t, f).Start(ctx, kyc.Input{UserID: "u1"})
	require.NoError(t, err)
	require.Len(t, f.stages, 2)
	require.Equal(t, runID, got.RunID)
	require.Equal(t, "s1", got.Session.SessionID)
	require.True(t, got.New)
}

func TestACallerWhoseTimeRunsOutKnowsTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	got, err := dial(t, &starts{hangs: true}).Start(ctx, kyc.Input{UserID: "u1"})
	require.Error(t, err)
	require.Equal(t, runID, got.RunID)
	require.True(t, got.New)
}
