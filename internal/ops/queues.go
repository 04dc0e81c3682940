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

// QueuePosition is where a call that is made now enters the queue for Didit.
type QueuePosition struct {
	Ahead     int       // calls that go first
	PerSecond float64   // how fast the queue moves; 0 where nothing limits it
	Paused    bool      // an operator has stopped the queue
	At        time.Time // when this was so
}

// ETA estimates how much of the wait is left at now; false while the queue is paused. The server's count of the backlog is
// some seconds old and some calls off, and a call that has to be retried is not in it.
func (p QueuePosition) ETA(now time.Time) (time.Duration, bool) {
	if p.Paused {
		return 0, false
	}
	if p.PerSecond <= 0 {
		return 0, true
	}
	wait := time.Duration(float64(p.Ahead) / p.PerSecond * float64(time.Second))
	return max(0, wait-now.Sub(p.At)), true
}

// Position is where a call with the priority key enters the queue.
func (s QueueStats) Position(key int) QueuePosition {
	p := QueuePosition{PerSecond: s.Limit.PerSecond, Paused: s.Limit.Paused(), At: time.Now()}
	for k, n := range s.Backlog {
		if k <= key {
			p.Ahead += n
		}
	}
	return p
}

// QueuePosition returns where a start of priority p would enter the queue now. A position is fixed when the call enters,
// so ask before Start, or take the answer for the longest wait.
func (c *Client) QueuePosition(ctx context.Context, p kyc.Priority) (QueuePosition, error) {
	s, err := c.QueueStats(ctx, kyc.TaskQueueDiditWrite)
	if err != nil {
		return QueuePosition{}, err
	}
	return s.Position(p.Key()), nil
}
