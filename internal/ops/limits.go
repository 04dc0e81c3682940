package ops

import (
	"context"
	"fmt"
	"math"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/kyc"
)

// LimitIdentity is the identity under which a worker sets a queue's limit. Workers keep a limit that another identity set.
const LimitIdentity = "didit-temporal-worker"

// LimitedQueues are the task queues that Temporal keeps below a limit of Didit.
func LimitedQueues() []string { return []string{kyc.TaskQueueDiditWrite, kyc.TaskQueueDiditRead} }

// QueueLimit is how fast Temporal dispatches the calls of a task queue, over all workers.
type QueueLimit struct {
	Queue     string      `json:"queue"`
	PerSecond float64     `json:"per_second"` // 0 is paused
	Source    LimitSource `json:"source"`
	// The rest is known only of a limit that was set at the server.
	SetBy  string    `json:"set_by,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// LimitSource says where a queue's limit comes from.
type LimitSource string

// The sources. A limit at the server wins over what workers report, at once and for all of them.
const (
	LimitFromServer  LimitSource = "server"
	LimitFromWorkers LimitSource = "workers"
	LimitNone        LimitSource = "none"
)

// Paused reports whether the queue dispatches nothing.
func (l QueueLimit) Paused() bool { return l.Source != LimitNone && l.PerSecond <= 0 }

// Unlimited reports whether the limit at the server is not a number: the server takes NaN and infinity, and then
// dispatches everything at once.
func (l QueueLimit) Unlimited() bool { return math.IsNaN(l.PerSecond) || math.IsInf(l.PerSecond, 0) }

// ByOperator reports whether an operator set the limit at the server.
func (l QueueLimit) ByOperator() bool { return l.Source == LimitFromServer && l.SetBy != LimitIdentity }

// QueueLimit returns the limit in force.
func (c *Client) QueueLimit(ctx context.Context, queue string) (QueueLimit, error) {
	s, err := c.QueueStats(ctx, queue)
	return s.Limit, err
}

// LimitQueue sets a queue's limit at the server, in calls per second, and returns the limit in force and whether it was
// set now. It writes only where no limit is set or where a worker has set another one: an operator's value holds, unless it
// is no limit at all.
func (c *Client) LimitQueue(ctx context.Context, queue string, perSecond float64, reason string) (QueueLimit, bool, error) {
	found, err := c.QueueLimit(ctx, queue)
	if err != nil {
		return found, false, err
	}
	want := float32(perSecond) // the precision the server keeps
	if found.ByOperator() && !found.Unlimited() || found.Source == LimitFromServer && float32(found.PerSecond) == want {
		return found, false, nil
	}
	set, err := c.Temporal().WorkflowService().UpdateTaskQueueConfig(ctx, &workflowservice.UpdateTaskQueueConfigRequest{
		Namespace: c.Namespace(), Identity: LimitIdentity, TaskQueue: queue, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY,
		UpdateQueueRateLimit: &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{
			RateLimit: &taskqueuepb.RateLimit{RequestsPerSecond: want}, Reason: reason,
		},
	})
	if err != nil {
		return found, false, fmt.Errorf("set the limit of task queue %s: %w", queue, err)
	}
	// Not QueueLimit: a queue learns of its new limit a moment later.
	return limitIn(queue, set.GetConfig()), true, nil
}

func limitOf(queue string, d *workflowservice.DescribeTaskQueueResponse) QueueLimit {
	l := limitIn(queue, d.GetConfig())
	if e := d.GetEffectiveRateLimit(); l.Source == LimitNone && e.GetRateLimitSource() == enumspb.RATE_LIMIT_SOURCE_WORKER {
		l.Source, l.PerSecond = LimitFromWorkers, float64(e.GetRequestsPerSecond())
	}
	return l
}

// limitIn is the limit that is set at the server.
func limitIn(queue string, config *taskqueuepb.TaskQueueConfig) QueueLimit {
	set := config.GetQueueRateLimit()
	if set.GetRateLimit() == nil {
		return QueueLimit{Queue: queue, Source: LimitNone}
	}
	l := QueueLimit{
		Queue: queue, Source: LimitFromServer, PerSecond: float64(set.GetRateLimit().GetRequestsPerSecond()),
		SetBy: set.GetMetadata().GetUpdateIdentity(), Reason: set.GetMetadata().GetReason(),
	}
	if t := set.GetMetadata().GetUpdateTime(); t != nil {
		l.Since = t.AsTime()
	}
	return l
}
