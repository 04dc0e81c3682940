package workflows_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// TestReplay runs today's code on histories of real runs (`make histories` adds them). A failure means that runs
// which are open somewhere would stop: guard the change with workflow.GetVersion.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recorded histories: run make histories")
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, f))
		})
	}
}

// The control: a run of code whose first timer was another one must not replay, or the test above proves nothing.
func TestReplayFindsAnIncompatibleChange(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, replay(t, "testdata/incompatible-approved.json"), "nondeterministic")
}

func replay(t *testing.T, file string) error {
	t.Helper()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DisableDeadlockDetection: true, // a second is short on a busy machine
	})
	require.NoError(t, err)
	r.RegisterWorkflowWithOptions(workflows.Verification, workflow.RegisterOptions{Name: kyc.WorkflowVerification})
	r.RegisterWorkflowWithOptions(workflows.Operation, workflow.RegisterOptions{Name: kyc.WorkflowOperation})
	history := load(t, file)
	id := history.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
	return r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), history,
		worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}}) // a verification checks its own id
}

func load(t *testing.T, file string) *historypb.History {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	history, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return history
}
