package tracing

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// Verifications that began before tracing was switched on, or while it was off, go on with it.
func TestOldHistoriesReplayWithTracing(t *testing.T) {
	files, err := filepath.Glob("../../workflows/testdata/history/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	on, _ := recorded()
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var chain []interceptor.WorkerInterceptor
			for _, i := range on.Interceptors() {
				chain = append(chain, i.(interceptor.WorkerInterceptor))
			}
			r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{Interceptors: chain})
			require.NoError(t, err)
			r.RegisterWorkflowWithOptions(workflows.Verification, workflow.RegisterOptions{Name: kyc.WorkflowVerification})
			r.RegisterWorkflowWithOptions(workflows.Operation, workflow.RegisterOptions{Name: kyc.WorkflowOperation})
			f, err := os.Open(name)
			require.NoError(t, err)
			defer func() { _ = f.Close() }()
			history, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
			require.NoError(t, err)
			id := history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
			require.NoError(t, r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), history,
				worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}}))
		})
	}
}
