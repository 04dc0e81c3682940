//go:build !race

package authorizer_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

const (
	timeout = 2 * time.Minute
	secret  = "authorizer-webhook-secret"
	bearer  = "authorizer-token-of-the-shop"
	apiKey  = "authorizer-key-of-no-account"
	flow    = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// role is what a caller of the server is. The server under test takes it from the caller's token, as a stand-in for certificates.
type role string

const (
	asWebhook  role = "kyc-webhook"
	asAPI      role = "kyc-api"
	asWorker   role = "kyc-worker"
	asOperator role = "kyc-operator"
)

func server(t *testing.T) *tserver.Server {
	t.Helper()
	return tserver.Run(t, tserver.Options{Roles: true})
}

// as connects as a role.
func as(t *testing.T, s *tserver.Server, role role) *kyc.Client {
	t.Helper()
	o := client.Options{HostPort: s.Address, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))}
	if role != asOperator {
		o.Credentials = client.NewAPIKeyStaticCredentials(string(role))
		o.ConnectionOptions.TLSDisabled = true // loopback
	}
	c, err := kyc.Dial(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func denied(err error) bool {
	var no *serviceerror.PermissionDenied
	return errors.As(err, &no)
}

// The three processes work with their own roles, from a start over HTTP to the verdict.
func TestOurProcessesWorkWithTheirRoles(t *testing.T) {
	s := server(t)
	_, err := ops.New(as(t, s, asOperator)).Setup(t.Context())
	require.NoError(t, err)
	sim := diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}, Limits: diditsim.Unlimited})
	t.Cleanup(sim.Close)
	at := httptest.NewServer(sim)
	t.Cleanup(at.Close)
	quiet := slog.New(slog.DiscardHandler)
	run(t, func(ctx context.Context, _ net.Listener) error {
		return app.RunWorker(ctx, as(t, s, asWorker), config.Worker{
			DiditAPIKey: config.NewSecret(apiKey), DiditWorkflowID: flow, DiditBaseURL: at.URL, Environment: config.Live, WritesPerMinute: 6000,
			ReadsPerMinute: 6000, QueuePartitions: 1, SessionDeadline: time.Hour, ReconcileAfter: time.Hour, SessionCap: 3,
		}, quiet)
	})
	hook := run(t, func(ctx context.Context, l net.Listener) error {
		return app.ServeWebhook(ctx, l, as(t, s, asWebhook), config.Webhook{
			Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: time.Minute, Environment: config.Live, MaxBody: 1 << 20,
		}, quiet)
	})
	sim.SetWebhook("http://"+hook+receiver.Path, secret)
	starter := "http://" + run(t, func(ctx context.Context, l net.Listener) error {
		return app.ServeStarter(ctx, l, as(t, s, asAPI), config.Starter{
			Tokens: []config.Token{{Name: "shop", Value: config.NewSecret(bearer)}}, Environment: config.Live,
		}, quiet)
	})

	assert.Equal(t, http.StatusCreated, call(t, http.MethodPost, starter+api.Path, `{"user_id":"u1"}`, nil))
	sessions := sim.SessionsOf("u1")
	require.Len(t, sessions, 1)
	require.NoError(t, sim.SetStatus(sessions[0].ID, didit.StatusInProgress))
	require.NoError(t, sim.SetStatus(sessions[0].ID, didit.StatusApproved))
	var found map[string]any
	assert.Equal(t, http.StatusOK, call(t, http.MethodGet, starter+api.Path+"/u1?wait=45s", "", &found))
	assert.Equal(t, "approved", found["outcome"])

	foreign := kyc.DiditEvent{EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: uuid.NewString(), Status: didit.StatusApproved}
	result, err := as(t, s, asWebhook).Deliver(t.Context(), "u1", foreign, kyc.Origin{})
	require.NoError(t, err, "a webhook about another program's session is answered 200")
	assert.Equal(t, kyc.DeliveredForeign, result)
}

// A webhook or an API that is taken over can decide nothing about a user.
func TestWhatEachRoleMayNot(t *testing.T) {
	s := server(t)
	_, err := ops.New(as(t, s, asOperator)).Setup(t.Context())
	require.NoError(t, err)
	id, ctx := kyc.WorkflowID("u1"), t.Context()
	start := func(c client.Client, workflowID, workflowType string, input any) error {
		_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: kyc.TaskQueue}, workflowType, input)
		return err
	}
	signalWithStart := func(c client.Client, workflowID, signal, workflowType string, input any) error {
		_, err := c.SignalWithStartWorkflow(ctx, workflowID, signal, kyc.DiditEvent{}, client.StartWorkflowOptions{TaskQueue: kyc.TaskQueue}, workflowType, input)
		return err
	}
	require.NoError(t, start(as(t, s, asOperator).Temporal(), id, kyc.WorkflowVerification, kyc.Input{UserID: "u1"}))
	resume := map[string]any{"user_id": "u2", "resume": true}
	operation := kyc.WorkflowID("u1") + "~approve-" + uuid.NewString()
	for name, tc := range map[string]struct {
		call func(client.Client) error
		may  []role
	}{
		"hand an event to a verification": {func(c client.Client) error {
			return c.SignalWorkflow(ctx, id, "", kyc.SignalDiditEvent, kyc.DiditEvent{})
		}, []role{asWebhook, asWorker}},
		"send another signal": {func(c client.Client) error { return c.SignalWorkflow(ctx, id, "", "approve", nil) }, []role{asWorker}},
		"hand an event to another workflow": {func(c client.Client) error {
			err := c.SignalWorkflow(ctx, operation, "", kyc.SignalDiditEvent, nil)
			var none *serviceerror.NotFound
			if errors.As(err, &none) {
				return nil
			}
			return err
		}, []role{asWorker}},
		"begin a run that resumes": {func(c client.Client) error {
			return signalWithStart(c, kyc.WorkflowID("u2"), kyc.SignalDiditEvent, kyc.WorkflowVerification, resume)
		}, []role{asWebhook, asWorker}},
		"begin a run that creates a session": {func(c client.Client) error {
			return signalWithStart(c, kyc.WorkflowID("u3"), kyc.SignalDiditEvent, kyc.WorkflowVerification, kyc.Input{UserID: "u3"})
		}, []role{asWorker}},
		"begin another workflow": {func(c client.Client) error {
			return signalWithStart(c, kyc.WorkflowID("u4"), kyc.SignalDiditEvent, kyc.WorkflowOperation, resume)
		}, []role{asWorker}},
		"start a verification, alone": {func(c client.Client) error {
			return start(c, kyc.WorkflowID("u5"), kyc.WorkflowVerification, kyc.Input{UserID: "u5"})
		}, []role{asWorker}},
		"approve": {func(c client.Client) error { return start(c, operation, kyc.WorkflowOperation, nil) }, []role{asWorker}},
		"read a list": {func(c client.Client) error {
			_, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: "default"})
			return err
		}, []role{asAPI, asWorker}},
		"read a verification": {func(c client.Client) error { _, err := c.DescribeWorkflow(ctx, id, ""); return err }, []role{asWebhook, asAPI, asWorker}},
		"describe another workflow": {func(c client.Client) error {
			_, err := c.DescribeWorkflow(ctx, operation, "")
			var none *serviceerror.NotFound
			if errors.As(err, &none) {
				return nil
			}
			return err
		}, []role{asAPI, asWorker}},
		"terminate a verification": {func(c client.Client) error { return c.TerminateWorkflow(ctx, id, "", "") }, []role{asWorker}},
		"ask for a session":        {func(c client.Client) error { return update(ctx, c, id, kyc.UpdateSession) }, []role{asAPI, asWorker}},
		"cancel by an update":      {func(c client.Client) error { return update(ctx, c, id, kyc.UpdateCancel) }, []role{asWorker}},
		"erase by an update":       {func(c client.Client) error { return update(ctx, c, id, kyc.UpdateErase) }, []role{asWorker}},
		"refresh by an update":     {func(c client.Client) error { return update(ctx, c, id, kyc.UpdateRefresh) }, []role{asWebhook, asWorker}},
		"cancel in Temporal":       {func(c client.Client) error { return c.CancelWorkflow(ctx, kyc.WorkflowID("none"), "") }, []role{asWorker}},
		"reset a verification": {func(c client.Client) error {
			_, err := c.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
				Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("none")}, RequestId: uuid.NewString(),
			})
			return err
		}, []role{asWorker}},
		"delete a verification": {func(c client.Client) error {
			_, err := c.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
				Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: kyc.WorkflowID("none")},
			})
			return err
		}, []role{asWorker}},
		"lift the limit of a queue": {func(c client.Client) error {
			_, err := c.WorkflowService().UpdateTaskQueueConfig(ctx, &workflowservice.UpdateTaskQueueConfigRequest{
				Namespace: "default", TaskQueue: kyc.TaskQueueDiditWrite, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY,
				UpdateQueueRateLimit: &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{},
			})
			return err
		}, []role{asWorker}},
		"pause the sweeps": {func(c client.Client) error {
			return c.ScheduleClient().GetHandle(ctx, ops.SweepID).Pause(ctx, client.SchedulePauseOptions{})
		}, []role{asWorker}},
		"answer in a worker's place": {func(c client.Client) error { return poll(ctx, c) }, []role{asWorker}},
		"look at the namespace":      {func(c client.Client) error { return describe(ctx, c, "default") }, []role{asWebhook, asAPI, asWorker}},
		"look at another namespace":  {func(c client.Client) error { return describe(ctx, c, "temporal-system") }, nil},
		"change the namespace":       {func(c client.Client) error { return change(ctx, c) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, role := range []role{asWebhook, asAPI, "stranger", asWorker} {
				may := false
				for _, r := range tc.may {
					may = may || r == role
				}
				err := tc.call(connect(t, s, role))
				assert.Equal(t, !may, denied(err), "%s: %v", role, err)
			}
		})
	}
}

// soon is too short for an answer, which only a worker gives, and long enough for a refusal.
const soon = 2 * time.Second

// update sends an update whose input is of no use.
func update(ctx context.Context, c client.Client, id, name string) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, WaitForStage: client.WorkflowUpdateStageAccepted})
	return err
}

// poll asks for the tasks of workflows, of a queue that has none.
func poll(ctx context.Context, c client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_, err := c.WorkflowService().PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{
		Namespace: "default", TaskQueue: &taskqueuepb.TaskQueue{Name: "another"},
	})
	return err
}
