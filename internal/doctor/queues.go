package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// pollAge is how old the newest poll of a queue may be. A poll that finds nothing ends after a minute, and the next one
// begins at once.
const pollAge = 90 * time.Second

// queueKinds are the task queues and what is polled for on them.
var queueKinds = []struct {
	queue, tasks string
	kind         enumspb.TaskQueueType
}{
	{kyc.TaskQueue, "workflows", enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	{kyc.TaskQueue, "activities", enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	{kyc.TaskQueueDiditWrite, "activities", enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	{kyc.TaskQueueDiditRead, "activities", enumspb.TASK_QUEUE_TYPE_ACTIVITY},
}

func (e *checker) queues(ctx context.Context, c *ops.Client) {
	perMinute := map[string]int{}
	if e.worker.WritesPerMinute > 0 && e.worker.ReadsPerMinute > 0 {
		perMinute[kyc.TaskQueueDiditWrite], perMinute[kyc.TaskQueueDiditRead] = e.worker.Shares()
	}
	for _, q := range ops.LimitedQueues() {
		e.limit(ctx, c, q, perMinute[q])
	}
	e.pollers(ctx, c)
}

// limit compares Temporal's limit of a queue with its share of Didit's rate limit.
func (e *checker) limit(ctx context.Context, c *ops.Client, queue string, perMinute int) {
	check := checkLimit + queue
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	l, err := c.QueueLimit(ctx, queue)
	if err != nil {
		e.fail(check, err.Error(), howToReach(err))
		return
	}
	reset := "`temporal task-queue config set --task-queue " + queue + " --task-queue-type activity --queue-rps-limit default`"
	worst := 61*l.PerSecond + float64(e.worker.QueuePartitions) // docs/operations/limits.md
	switch {
	case l.Source == ops.LimitNone:
		e.warn(check, "no limit is set", "the first worker that starts sets it; see `workers` below")
	case l.Unlimited():
		e.fail(check, "the limit"+setBy(l)+" is not a number: calls go to Didit without a limit", "undo it with "+reset+"; the next worker that starts sets the right one")
	case l.Paused():
		e.fail(check, "paused"+setBy(l)+": nothing is sent to Didit, all users wait", "when the reason is gone: "+reset)
	case perMinute == 0:
		e.skip("Didit's limit is not known: DIDIT_*_PER_MINUTE is wrong, or not of this machine", check)
	case 60*l.PerSecond > float64(perMinute):
		e.fail(check, fmt.Sprintf("%.0f calls a minute%s, above its share of %d", 60*l.PerSecond, setBy(l), perMinute), "undo it with "+reset+
			"; if Didit has raised your limit, set DIDIT_WRITES_PER_MINUTE or DIDIT_READS_PER_MINUTE")
	case worst > float64(perMinute)+0.5:
		e.warn(check, fmt.Sprintf("%.0f calls in a bad minute%s, above its share of %d", worst, setBy(l), perMinute), "undo it with "+reset)
	case l.Source == ops.LimitFromWorkers:
		e.warn(check, fmt.Sprintf("%.0f calls a minute, set by the workers that poll: one with other settings would change it", 60*l.PerSecond),
			"give all workers the same DIDIT_*_PER_MINUTE; where the server takes it, they set the limit there (docs/operations/limits.md)")
	default:
		e.ok(check, fmt.Sprintf("%.0f calls a minute%s, below its share of %d", 60*l.PerSecond, setBy(l), perMinute))
	}
}

func setBy(l ops.QueueLimit) string {
	if l.Source != ops.LimitFromServer {
		return ""
	}
	by := " (set by " + cmp.Or(l.SetBy, "an unknown identity")
	if l.Reason != "" {
		by += ": " + l.Reason
	}
	return by + ")"
}

// pollers checks for running workers by their latest polls.
func (e *checker) pollers(ctx context.Context, c *ops.Client) {
	var newest time.Time // of all queues, by Temporal's clock
	idle := 0
	for _, q := range queueKinds {
		last, workers, err := lastPoll(ctx, c, q.queue, q.kind)
		what := fmt.Sprintf("%s (%s)", q.queue, q.tasks)
		switch {
		case err != nil:
			e.fail(checkWorkers, err.Error(), howToReach(err))
			return
		case last.IsZero():
			idle++
			e.fail(checkWorkers, "no worker polls "+what, startAWorker)
		case e.Now().Sub(last) > pollAge:
			idle++
			e.fail(checkWorkers, fmt.Sprintf("no worker has polled %s for %s", what, e.Now().Sub(last).Round(time.Second)), startAWorker)
		default:
			e.ok(checkWorkers, fmt.Sprintf("%d on %s", workers, what))
		}
		if last.After(newest) {
			newest = last
		}
	}
	e.clockOfTemporal(newest, idle == len(queueKinds))
}

const startAWorker = "start a worker in this namespace (`go run ./worker`), and check its log if one should run"

// lastPoll is the time of the newest poll, and how many workers have polled.
func lastPoll(ctx context.Context, c *ops.Client, queue string, kind enumspb.TaskQueueType) (time.Time, int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	d, err := c.Temporal().WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: c.Namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, TaskQueueType: kind,
	})
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("describe task queue %s: %w", queue, err)
	}
	var last time.Time
	workers := map[string]bool{}
	for _, p := range d.GetPollers() {
		workers[p.GetIdentity()] = true
		if t := p.GetLastAccessTime().AsTime(); t.After(last) {
			last = t
		}
	}
	return last, len(workers), nil
}
