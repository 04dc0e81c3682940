package kyc_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// frontend is a Temporal frontend of which a test says what it answers.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	signal func(*workflowservice.SignalWorkflowExecutionRequest) error
	start  func(*workflowservice.StartWorkflowExecutionRequest) error
	until  func(call string, deadline time.Time) // nil: nobody asks
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

func (f *frontend) StartWorkflowExecution(ctx context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	f.tell(ctx, "start")
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "run"}, asStatus(f.start(r))
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

var event = kyc.DiditEvent{EventID: eventID, Type: didit.EventStatusUpdated, Status: didit.StatusApproved, CreatedAt: 5}

func TestDeliver(t *testing.T) {
	closed := serviceerror.NewNotFound("workflow execution already completed")
	for name, tc := range map[string]struct {
		run    string
		signal error
		start  error
		want   kyc.Delivery
		starts int
		fails  bool
	}{
		"to an open verification":                    {run: runID, want: kyc.DeliveredSignal},
		"of an old format, to an open one":           {want: kyc.DeliveredSignal},
		"after the end":                              {run: runID, signal: closed, want: kyc.DeliveredChange, starts: 1},
		"after the end, again":                       {run: runID, signal: closed, start: serviceerror.NewWorkflowExecutionAlreadyStarted("", "", runID), want: kyc.DeliveredChange, starts: 1},
		"of a session that is not ours":              {signal: closed, want: kyc.DeliveredNobody},
		"while Temporal refuses":                     {run: runID, signal: serviceerror.NewPermissionDenied("no", ""), fails: true},
		"after the end, and the change cannot begin": {run: runID, signal: closed, start: serviceerror.NewPermissionDenied("no", ""), starts: 1, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			starts := 0
			c := dial(t, &frontend{
				signal: func(r *workflowservice.SignalWorkflowExecutionRequest) error {
					require.Equal(t, eventID, r.GetRequestId(), "the server drops repeats by it")
					require.Equal(t, "kyc-u1", r.GetWorkflowExecution().GetWorkflowId())
					require.Equal(t, tc.run, r.GetWorkflowExecution().GetRunId())
					return tc.signal
				},
				start: func(r *workflowservice.StartWorkflowExecutionRequest) error {
					starts++
					require.Equal(t, "kyc-u1~"+eventID, r.GetWorkflowId())
					return tc.start
				},
			})
			got, err := c.Deliver(t.Context(), "u1", event, kyc.SessionMetadata{RunID: tc.run})
			require.Equal(t, tc.starts, starts)
			if tc.fails {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// The SDK tries again while a server is exhausted or away; the caller's deadline ends that, and Didit sends again.
func TestDeliverGivesUpInTime(t *testing.T) {
	for name, trouble := range map[string]error{
		"exhausted": serviceerror.NewResourceExhausted(0, "too many requests"), "away": serviceerror.NewUnavailable("away"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, &frontend{signal: func(*workflowservice.SignalWorkflowExecutionRequest) error { return trouble }})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := c.Deliver(ctx, "u1", event, kyc.SessionMetadata{RunID: runID})
			require.Error(t, err)
			require.NotErrorIs(t, err, kyc.ErrNotFound)
		})
	}
}

// Where a server stalls, half of the time is often not enough, and the SDK would leave it at half.
func TestDeliverLetsACallTakeAllTheTime(t *testing.T) {
	t.Parallel()
	const budget = 8 * time.Second // the SDK has an upper bound of its own, 10 s
	ctx, cancel := context.WithTimeout(t.Context(), budget)
	defer cancel()
	mine, _ := ctx.Deadline()
	told := make(chan string, 2)
	c := dial(t, &frontend{
		signal: func(*workflowservice.SignalWorkflowExecutionRequest) error {
			return serviceerror.NewNotFound("workflow execution already completed")
		},
		start: func(*workflowservice.StartWorkflowExecutionRequest) error { return nil },
		until: func(call string, deadline time.Time) {
			assert.WithinRange(t, deadline, mine.Add(-budget/4), mine.Add(budget), call)
			told <- call
		},
	})
	_, err := c.Deliver(ctx, "u1", event, kyc.SessionMetadata{RunID: runID})
	require.NoError(t, err)
	require.Equal(t, "signal", <-told)
	require.Equal(t, "start", <-told)
}

// It lasts no longer than the caller has time.
func TestDeliverEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	stalled := make(chan struct{})
	c := dial(t, &frontend{signal: func(*workflowservice.SignalWorkflowExecutionRequest) error { <-stalled; return nil }})
	defer close(stalled)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Deliver(ctx, "u1", event, kyc.SessionMetadata{RunID: runID})
	require.Error(t, err)
	require.Error(t, ctx.Err(), "it gave up before")
}

func TestForwardNamesTheRun(t *testing.T) {
	t.Parallel()
	c := dial(t, &frontend{signal: func(r *workflowservice.SignalWorkflowExecutionRequest) error {
		require.Equal(t, eventID, r.GetRequestId())
		if r.GetWorkflowExecution().GetRunId() != runID {
			return nil // the user's next run takes everything
		}
		return serviceerror.NewNotFound("workflow execution already completed")
	}})
	taken, err := c.Forward(t.Context(), "u1", runID, kyc.DiditEvent{EventID: eventID})
	require.NoError(t, err)
	require.False(t, taken)
}
