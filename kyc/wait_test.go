package kyc_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// aRun is a frontend with the one run of a user.
type aRun struct {
	workflowservice.UnimplementedWorkflowServiceServer
	t *testing.T

	mu                 sync.Mutex
	state              kyc.State // what a worker answers
	attribute          string    // the outcome in the search attributes
	closed             chan struct{}
	described, queried int
	onDescribe         func(r *aRun) // before each answer
}

func (r *aRun) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.described++
	if r.onDescribe != nil {
		r.onDescribe(r)
	}
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("u1"), RunId: runID},
		Type:      &commonpb.WorkflowType{Name: kyc.WorkflowVerification},
		Status:    enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
			kyc.AttributeOutcome: r.payload(r.attribute),
		}},
	}
	select {
	case <-r.closed:
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	default:
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

func (r *aRun) QueryWorkflow(context.Context, *workflowservice.QueryWorkflowRequest) (*workflowservice.QueryWorkflowResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queried++
	return &workflowservice.QueryWorkflowResponse{QueryResult: r.payloads(kyc.Snapshot{State: r.state})}, nil
}

func (r *aRun) GetWorkflowExecutionHistory(ctx context.Context, _ *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.closed:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{{
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
			WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: r.payloads(r.state)},
		},
	}}}}, nil
}

func (r *aRun) ListWorkflowExecutions(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

func (r *aRun) payload(v any) *commonpb.Payload {
	p, err := converter.GetDefaultDataConverter().ToPayload(v)
	require.NoError(r.t, err)
	return p
}

func (r *aRun) payloads(v any) *commonpb.Payloads {
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{r.payload(v)}}
}

func newRun(t *testing.T) *aRun {
	t.Helper()
	return &aRun{t: t, closed: make(chan struct{}), state: kyc.State{
		UserID: "u1", SessionID: "11111111-2222-4333-8444-555555555555", Status: didit.StatusInReview, Attempt: 1,
	}}
}

// A user whose run ends between the two questions of Find has a verification all the same: Temporal answers queries about
// runs that are closed.
func TestFindDoesNotLoseAVerificationThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.onDescribe = func(r *aRun) {
		if r.described == 1 {
			r.state.Status, r.state.Outcome = didit.StatusApproved, kyc.OutcomeApproved
		}
	}
	found, err := dial(t, r).Find(t.Context(), "u1")
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeApproved, found.State.Outcome)
	require.Empty(t, found.Session.URL)
	require.Equal(t, runID, found.RunID)
}

func TestAnEndedRunIsReadWithOneCall(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.state.Status, r.state.Outcome = didit.StatusApproved, kyc.OutcomeApproved
	close(r.closed)
	found, err := dial(t, r).FindEnded(t.Context(), "u1", runID)
	require.NoError(t, err)
	require.Equal(t, kyc.Found{State: r.state, RunID: runID}, found)
	require.Zero(t, r.described)
	r.state = kyc.State{}
	_, err = dial(t, r).FindEnded(t.Context(), "u1", runID)
	require.ErrorIs(t, err, kyc.ErrNotFound)
}

// Many may wait for weeks. A worker is asked only when there is something to hear.
func TestWaitingAsksNoWorkerBeforeTheEnd(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.onDescribe = func(r *aRun) {
		if r.described == 3 { // the run ends, and its callback is still pending
			r.state.Status, r.state.Outcome, r.attribute = didit.StatusDeclined, kyc.OutcomeDeclined, "declined"
		}
	}
	state, err := dial(t, r).Wait(t.Context(), "u1")
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeDeclined, state.Outcome)
	require.Equal(t, 1, r.queried)
}
