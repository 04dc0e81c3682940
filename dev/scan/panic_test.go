package scan

import (
	"context"
	"log/slog"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// panicky is a Didit whose client has a fault.
type panicky struct{ activities.Didit }

func (panicky) ListSessions(context.Context, didit.ListSessionsRequest) (didit.SessionPage, error) {
	panic(marker("panic") + markedEmail)
}

const panicQueue = "panics"

// panics lets an activity panic, on a queue of its own, with what stands around activities in production.
func (w *world) panics() {
	w.t.Helper()
	own := &buffer{}
	keys, err := codec.ParseKeys(w.keys)
	require.NoError(w.t, err)
	o := client.Options{HostPort: w.server.Address, Logger: log.NewStructuredLogger(config.NewLogger(own, slog.LevelDebug, config.JSON))}
	keys.Apply(&o)
	c, err := kyc.Dial(w.t.Context(), o)
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	acts := &activities.Activities{Didit: panicky{}}
	work := worker.New(c.Temporal(), panicQueue, worker.Options{Interceptors: []interceptor.WorkerInterceptor{activities.HidePanics()}})
	work.RegisterActivity(acts)
	work.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: patience, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 2},
		})
		return workflow.ExecuteActivity(ctx, acts.ListSessions, activities.ListSessionsInput{UserID: "u1"}).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: "Panics"})
	require.NoError(w.t, work.Start())
	defer work.Stop()
	run, err := c.Temporal().ExecuteWorkflow(w.within(patience), client.StartWorkflowOptions{ID: "panics", TaskQueue: panicQueue}, "Panics")
	require.NoError(w.t, err)
	require.ErrorContains(w.t, run.Get(w.within(patience), nil), "panicked")
	require.Contains(w.t, string(own.bytes()), "panic in an activity")
	w.processes = append(w.processes, &process{name: "a worker that panics", log: own, stop: func() {}})
}
