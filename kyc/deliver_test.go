package kyc_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// frontend is a Temporal frontend of which a test says what it answers.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	signal func(*workflowservice.SignalWorkflowExecutionRequest) error
	resume func(*workflowservice.SignalWithStartWorkflowExecutionRequest) error
	update func(*workflowservice.UpdateWorkflowExecutionRequest) error
	newest string                                // the session of the user's newest run; empty where there is no run
	until  func(call string, deadline time.Time) // nil: not of interest
}

func (f *frontend) tell(ctx context.Context, call string) {
	if deadline, ok := ctx.Deadline(); ok && f.until != nil {
		f.until(call, deadline)
	}
}

func (f *frontend) SignalWorkflowExecution(ctx context.Context, r *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	f.tell(ctx, "signal")
	return &workflowservice.SignalWorkflowExecutionResponse{}, asStatus(f.signal(r))
}

func (f *frontend) SignalWithStartWorkflowExecution(ctx context.Context, r *workflowservice.SignalWithStartWorkflowExecutionRequest) (*workflowservice.SignalWithStartWorkflowExecutionResponse, error) {
	f.tell(ctx, "resume")
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{RunId: "run"}, asStatus(f.resume(r))
}

func (f *frontend) UpdateWorkflowExecution(_ context.Context, r *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	return &workflowservice.UpdateWorkflowExecutionResponse{
		Stage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED, UpdateRef: ref(r.GetRequest().GetMeta().GetUpdateId()),
	}, asStatus(f.update(r))
}

func (f *frontend) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if f.newest == "" {
		return nil, asStatus(serviceerror.NewNotFound("no such workflow"))
	}
	id, err := converter.GetDefaultDataConverter().ToPayload(f.newest)
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{kyc.AttributeSessionID: id}},
	}}, err
}

func asStatus(err error) error {
	if err == nil {
		return nil
	}
	return serviceerror.ToStatus(err).Err()
}

func dial(t *testing.T, f workflowservice.WorkflowServiceServer) *kyc.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(srv, f)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	c, err := kyc.Dial(t.Context(), client.Options{HostPort: l.Addr().String(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

const (
	eventID = "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"
	runID   = "0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"
)

const sessionID = "11111111-2222-4333-8444-555555555555"

var event = kyc.DiditEvent{EventID: eventID, Type: didit.EventStatusUpdated, SessionID: sessionID, Status: didit.StatusApproved, CreatedAt: 5}

func TestDeliver(t *testing.T) {
	closed := serviceerror.NewNotFound("workflow execution already completed")
	full := serviceerror.NewInvalidArgument("exceeded workflow execution limit for signal events")
	created := event
	created.Status = didit.StatusNotStarted
	for name, tc := range map[string]struct {
		event           kyc.DiditEvent
		ours            bool
		newest          string // session of the user's newest run
		signal, resume  error
		update          error
		want            kyc.DeliverResult
		signals, starts int
		updates         int
		fails           bool
	}{
		"to an open verification":              {event: event, ours: true, want: kyc.DeliveredSignal, signals: 1},
		"of an overwritten session":            {event: event, newest: sessionID, want: kyc.DeliveredSignal, signals: 1},
		"after the end":                        {event: event, ours: true, signal: closed, want: kyc.DeliveredResume, signals: 1, starts: 1},
		"of an overwritten session that ended": {event: event, newest: sessionID, signal: closed, want: kyc.DeliveredResume, signals: 1, starts: 1},
		"of another's session":                 {event: event, newest: "another", want: kyc.DeliveredForeign},
		"of another's user":                    {event: event, want: kyc.DeliveredForeign},
		"that a session was made":              {event: created, ours: true, want: kyc.DeliveredNoChange},
		"while Temporal refuses":               {event: event, ours: true, signal: serviceerror.NewPermissionDenied("no", ""), signals: 1, fails: true},
		"after the end, and no run begins":     {event: event, ours: true, signal: closed, resume: serviceerror.NewPermissionDenied("no", ""), signals: 1, starts: 1, fails: true},
		"to a run that is full":                {event: event, ours: true, signal: full, want: kyc.DeliveredSignal, signals: 1, updates: 1},
		"to a run that is full of updates":     {event: event, ours: true, signal: full, update: serviceerror.NewInvalidArgument("limit for updates"), want: kyc.DeliveredSignal, signals: 1, updates: 1},
		"to a full one, and Temporal is shut":  {event: event, ours: true, signal: full, update: serviceerror.NewPermissionDenied("no", ""), signals: 1, updates: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			var signals, starts, updates int
			c := dial(t, &frontend{
				newest: tc.newest,
				signal: func(r *workflowservice.SignalWorkflowExecutionRequest) error {
					signals++
					require.Equal(t, eventID, r.GetRequestId(), "the server drops repeats by it")
					require.Equal(t, "kyc-u1", r.GetWorkflowExecution().GetWorkflowId())
					require.Empty(t, r.GetWorkflowExecution().GetRunId(), "the newest run sorts events of all sessions")
					return tc.signal
				},
				resume: func(r *workflowservice.SignalWithStartWorkflowExecutionRequest) error {
					starts++
					require.Equal(t, eventID, r.GetRequestId())
					require.Equal(t, "kyc-u1", r.GetWorkflowId())
					require.JSONEq(t, `{"user_id":"u1","resume":true}`, string(r.GetInput().GetPayloads()[0].GetData()), "it must buy nothing")
					require.Equal(t, "kyc-u1", r.GetWorkflowId())
					require.JSONEq(t, `"didit"`, string(r.GetSearchAttributes().GetIndexedFields()[kyc.AttributeWaitingFor].GetData()), "no queue for a session")
					require.Contains(t, string(r.GetUserMetadata().GetSummary().GetData()), "Late update of user u1: Approved")
					session := r.GetSearchAttributes().GetIndexedFields()[kyc.AttributeSessionID]
					require.Equal(t, tc.ours, session == nil, "without the metadata, the next event is ours by this attribute alone")
					return tc.resume
				},
				update: func(r *workflowservice.UpdateWorkflowExecutionRequest) error {
					updates++
					require.Equal(t, kyc.UpdateRefresh, r.GetRequest().GetInput().GetName())
					return tc.update
				},
			})
			got, err := c.Deliver(t.Context(), "u1", tc.event, kyc.Origin{Ours: tc.ours})
			require.Equal(t, []int{tc.signals, tc.starts, tc.updates}, []int{signals, starts, updates})
			if tc.fails {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// A repeat is known to the run that took the event, and Temporal finds a run by its id without reading which one is open.
func TestDeliverTriesTheRunOfTheSessionFirst(t *testing.T) {
	closed := serviceerror.NewNotFound("workflow execution already completed")
	for name, tc := range map[string]struct {
		answers []error
		want    kyc.DeliverResult
		runs    []string
	}{
		"it is open":        {[]error{nil}, kyc.DeliveredSignal, []string{runID}},
		"another is open":   {[]error{closed, nil}, kyc.DeliveredSignal, []string{runID, ""}},
		"none is open":      {[]error{closed, closed}, kyc.DeliveredResume, []string{runID, ""}},
		"it is full":        {[]error{serviceerror.NewInvalidArgument("exceeded workflow execution limit for signal events")}, kyc.DeliveredSignal, []string{runID}},
		"Temporal is shut":  {[]error{serviceerror.NewPermissionDenied("no", "")}, "", []string{runID}},
		"shut at the other": {[]error{closed, serviceerror.NewPermissionDenied("no", "")}, "", []string{runID, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []string
			c := dial(t, &frontend{
				signal: func(r *workflowservice.SignalWorkflowExecutionRequest) error {
					runs = append(runs, r.GetWorkflowExecution().GetRunId())
					require.Equal(t, eventID, r.GetRequestId())
					return tc.answers[len(runs)-1]
				},
				resume: func(*workflowservice.SignalWithStartWorkflowExecutionRequest) error { return nil },
				update: func(*workflowservice.UpdateWorkflowExecutionRequest) error { return nil },
			})
			got, err := c.Deliver(t.Context(), "u1", event, kyc.Origin{Ours: true, RunID: runID})
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.runs, runs)
			require.Equal(t, tc.want == "", err != nil, err)
		})
	}
}

// The SDK tries again while a server is exhausted or away; the caller's deadline ends that, and Didit sends again.
func TestDeliverEndsInTime(t *testing.T) {
	for name, trouble := range map[string]error{
		"exhausted": serviceerror.NewResourceExhausted(0, "too many requests"), "away": serviceerror.NewUnavailable("away"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, &frontend{signal: func(*workflowservice.SignalWorkflowExecutionRequest) error { return trouble }})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := c.Deliver(ctx, "u1", event, kyc.Origin{Ours: true})
			require.Error(t, err)
			require.NotErrorIs(t, err, kyc.ErrNotFound)
		})
	}
}

// Where a server stalls, half of the time is often not enough.
func TestDeliverGivesACallTheFullDeadline(t *testing.T) {
	t.Parallel()
	const budget = 8 * time.Second // the SDK has an upper bound of its own, 10 s
	ctx, cancel := context.WithTimeout(t.Context(), budget)
	defer cancel()
	mine, _ := ctx.Deadline()
	called := make(chan string, 2)
	c := dial(t, &frontend{
		signal: func(*workflowservice.SignalWorkflowExecutionRequest) error {
			return serviceerror.NewNotFound("workflow execution already completed")
		},
		resume: func(*workflowservice.SignalWithStartWorkflowExecutionRequest) error { return nil },
		until: func(call string, deadline time.Time) {
			assert.WithinRange(t, deadline, mine.Add(-budget/4), mine.Add(budget), call)
			called <- call
		},
	})
	_, err := c.Deliver(ctx, "u1", event, kyc.Origin{Ours: true})
	require.NoError(t, err)
	require.Equal(t, "signal", <-called)
	require.Equal(t, "resume", <-called)
}

// It lasts no longer than the caller has time.
func TestDeliverEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	stalled := make(chan struct{})
	c := dial(t, &frontend{signal: func(*workflowservice.SignalWorkflowExecutionRequest) error { <-stalled; return nil }})
	defer close(stalled)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Deliver(ctx, "u1", event, kyc.Origin{Ours: true})
	require.Error(t, err)
	require.Error(t, ctx.Err(), "it gave up before")
}
