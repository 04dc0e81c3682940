package tserver

import (
	"log/slog"
	"testing"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// TestRateLimitedQueuesHaveOnePartition: with more of them a queue's limit is shared out and no longer exact.
func TestRateLimitedQueuesHaveOnePartition(t *testing.T) {
	t.Setenv(AddressVariable, "")
	for partitions, want := range map[int]map[string]int{
		0: {"didit-write": 1, "didit-read": 1, "kyc": 4},
		4: {"didit-write": 4, "didit-read": 4, "kyc": 4},
	} {
		wantPartitions(t, dial(t, Run(t, Options{Partitions: partitions})), want)
	}
}

func wantPartitions(t *testing.T, c client.Client, all map[string]int) {
	t.Helper()
	for name, want := range all {
		resp, err := c.WorkflowService().ListTaskQueuePartitions(t.Context(), &workflowservice.ListTaskQueuePartitionsRequest{
			Namespace: "default",
			TaskQueue: &taskqueuepb.TaskQueue{Name: name},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(resp.GetActivityTaskQueuePartitions()); got != want {
			t.Errorf("%s has %d partitions, want %d", name, got, want)
		}
	}
}

func TestNamespaceRemembersForThirtyDays(t *testing.T) {
	t.Setenv(AddressVariable, "")
	c := dial(t, Run(t, Options{}))
	resp, err := c.WorkflowService().DescribeNamespace(t.Context(),
		&workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration().Hours(); got != 720 {
		t.Errorf("retention = %v h, want 720", got)
	}
}

func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }
