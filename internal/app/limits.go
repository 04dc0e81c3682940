package app

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"

	sdkworker "go.temporal.io/sdk/worker"

	"didit-temporal/activities"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// SafeRate is the rate, in calls per second, at which a task queue stays below a limit of Didit per sliding 60 s
// (docs.didit.me/integration/rate-limiting). Temporal lets each partition burst by one second's worth, and by one call;
// workers start tasks of one minute activities.DispatchJitter closer together than they were dispatched; and the server's own
// delays grow with the number of partitions that are polled. docs/operations/limits.md has the arithmetic and the measurements.
func SafeRate(limitPerMinute, partitions int) float64 {
	p := float64(partitions)
	return (float64(limitPerMinute) - p) / (61 + activities.DispatchJitter.Seconds() + 0.7*p)
}

// A partition without a poller dispatches nothing, and one poller fetches some ten tasks a second. Tasks on their way to
// pollers may pile up, so there are no more pollers than the rate needs: for Didit's documented limits that is leastPollers.
const (
	leastPollers  = 2 // per partition
	mostPollers   = 16
	tasksOfPoller = 10 // a second
)

// Pollers is how many polls of a worker let a queue reach its rate.
func Pollers(rate float64, partitions int) int {
	takes := math.Ceil(rate / float64(partitions) / tasksOfPoller)
	return partitions * int(min(max(takes, leastPollers), mostPollers))
}

// limited makes the options of a worker on a queue for Didit. The rate in them is what the server falls back to where
// it has no limit of its own; see limitQueues.
func limited(o sdkworker.Options, limitPerMinute, partitions int) sdkworker.Options {
	o.DisableWorkflowWorker = true
	o.TaskQueueActivitiesPerSecond = SafeRate(limitPerMinute, partitions)
	o.MaxConcurrentActivityTaskPollers = Pollers(o.TaskQueueActivitiesPerSecond, partitions)
	o.Interceptors = append(slices.Clip(o.Interceptors), activities.RateLimitGate())
	return o
}

// limitQueues sets the limits of the queues at the server, before anything is polled: then no worker can lift them. A
// limit that an operator has set holds. Where the server refuses, the workers' own rate is the limit.
func limitQueues(ctx context.Context, c *kyc.Client, cfg config.Worker, log *slog.Logger) {
	var both sync.WaitGroup // each takes the server about a second
	writes, reads := cfg.Shares()
	both.Go(func() { limitQueue(ctx, c, kyc.TaskQueueDiditWrite, writes, cfg.QueuePartitions, log) })
	both.Go(func() { limitQueue(ctx, c, kyc.TaskQueueDiditRead, reads, cfg.QueuePartitions, log) })
	both.Wait()
}

func limitQueue(ctx context.Context, c *kyc.Client, queue string, perMinute, partitions int, log *slog.Logger) {
	rate := SafeRate(perMinute, partitions)
	limit, now, err := ops.New(c).LimitQueue(ctx, queue, rate, fmt.Sprintf("stays below %d calls a minute at Didit", perMinute))
	log = log.With("queue", queue, "per_second", rate)
	switch {
	case ctx.Err() != nil: // asked to stop
	case err != nil:
		log.Warn("the server takes no limit for the queue: every worker must have the same DIDIT_*_PER_MINUTE", "error", err)
	case limit.ByOperator():
		log.Warn("an operator's limit is in force, not ours", "in_force", limit.PerSecond, "set_by", limit.SetBy, "reason", limit.Reason)
	default:
		log.Info("queue limit", "set_now", now)
	}
}
