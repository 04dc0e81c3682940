package kyc

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// QueueStats is how a task queue stands, by the server's count, which is some seconds old and some tasks off.
type QueueStats struct {
	Limit   QueueLimit
	Backlog map[int]int   // tasks that wait, by priority key: TurnInteractive, TurnBulk, TurnLook
	Oldest  time.Duration // how long the oldest of them has waited
	// Tasks per second over the last half minute: how many came, and how many were handed out.
	Added, Dispatched float64
	Pollers           int // workers that asked for a task lately
}

// Turn is the place that a call with priority key would have in the queue.
func (s QueueStats) Turn(key int) Turn {
	t := Turn{PerSecond: s.Limit.PerSecond, Paused: s.Limit.Paused(), At: time.Now()}
	for k, n := range s.Backlog {
		if k <= key {
			t.Ahead += n
		}
	}
	return t
}

// QueueStats tells how a task queue stands. Of TaskQueue these are the workflow tasks, of the others the activities.
func (c *Client) QueueStats(ctx context.Context, queue string) (QueueStats, error) {
	kind := enumspb.TASK_QUEUE_TYPE_ACTIVITY
	if queue == TaskQueue {
		kind = enumspb.TASK_QUEUE_TYPE_WORKFLOW
	}
	d, err := c.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: c.namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, TaskQueueType: kind, ReportConfig: true, ReportStats: true,
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
// is waited for may be a workflow of another type, such as one that delivers a result. The visibility store lags a little.
func (c *Client) CountOpen(ctx context.Context, attribute, value string, age time.Duration) (int64, error) {
	query := fmt.Sprintf("ExecutionStatus = 'Running' AND %s = '%s'", attribute, value)
	if attribute == AttributeStatus {
		query += fmt.Sprintf(" AND WorkflowType = '%s'", WorkflowVerification)
	}
	if age > 0 {
		query += fmt.Sprintf(" AND StartTime < '%s'", time.Now().Add(-age).UTC().Format(time.RFC3339))
	}
	n, err := c.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.namespace, Query: query})
	if err != nil {
		return 0, fmt.Errorf("count open verifications with %s = %s: %w", attribute, value, err)
	}
	return n.GetCount(), nil
}

// WaitingFors lists what a verification can wait for.
func WaitingFors() []WaitingFor {
	return []WaitingFor{WaitingForLimit, WaitingForUser, WaitingForReview, WaitingForDidit, WaitingForCallback, WaitingForOperator}
}
