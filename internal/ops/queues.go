package ops

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/kyc"
)

// QueueStats are the server's counts of a task queue, some seconds old and some tasks off.
type QueueStats struct {
	Limit   QueueLimit
	Backlog map[int]int   // tasks that wait, by priority key
	Oldest  time.Duration // how long the oldest of them has waited
	// Tasks per second over the last half minute: added, and dispatched to workers.
	Added, Dispatched float64
	Pollers           int // workers that asked for a task lately
}

// QueueStats returns the counts of a task queue: of kyc.TaskQueue those of workflow tasks, of the others those of activities.
func (c *Client) QueueStats(ctx context.Context, queue string) (QueueStats, error) {
	kind := enumspb.TASK_QUEUE_TYPE_ACTIVITY
	if queue == kyc.TaskQueue {
		kind = enumspb.TASK_QUEUE_TYPE_WORKFLOW
	}
	d, err := c.Temporal().WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: c.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, TaskQueueType: kind, ReportConfig: true, ReportStats: true,
	})
	if err != nil {
		return QueueStats{}, fmt.Errorf("describe task queue %s: %w", queue, err)
	}
	all := d.GetStats()
	s := QueueStats{
		Limit: limitOf(queue, d), Backlog: map[int]int{}, Oldest: all.GetApproximateBacklogAge().AsDuration(),
		Added: float64(all.GetTasksAddRate()), Dispatched: float64(all.GetTasksDispatchRate()), Pollers: len(d.GetPollers()),
	}
	for key, stats := range d.GetStatsByPriorityKey() {
		s.Backlog[int(key)] = int(stats.GetApproximateBacklogCount())
	}
	return s, nil
}

// CountOpen counts the open verifications whose search attribute has a value, of those that began at least age ago. What
// is waited for may be a workflow of another type, such as an Operation. The visibility store lags a little.
func (c *Client) CountOpen(ctx context.Context, attribute, value string, age time.Duration) (int64, error) {
	query := fmt.Sprintf("ExecutionStatus = 'Running' AND %s = '%s'", attribute, value)
	if attribute == kyc.AttributeStatus {
		query += fmt.Sprintf(" AND WorkflowType = '%s'", kyc.WorkflowVerification)
	}
	if age > 0 {
		query += fmt.Sprintf(" AND StartTime < '%s'", time.Now().Add(-age).UTC().Format(time.RFC3339))
	}
	n, err := c.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.Namespace(), Query: query})
	if err != nil {
		return 0, fmt.Errorf("count open verifications with %s = %s: %w", attribute, value, err)
	}
	return n.GetCount(), nil
}
