package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/kyc"
)

// callTimeout is for one call, once a worker has taken it. The time before has no bound: waiting for the rate limit is no
// failure.
const callTimeout = 20 * time.Second

// Priority keys: a person waits for the first kind of call, only a timer for the last.
const (
	firstPriority = kyc.PriorityKeyInteractive
	lastPriority  = kyc.PriorityKeyPoll
)

// callOptions are the options of a call that is retried until an error of one of the final types, with the backoff that
// Didit recommends: 5, 10, 20, 40 seconds (docs.didit.me/integration/rate-limiting). A call without a rate limit goes to
// the worker together with the answer to its workflow task, which saves the way through the queue.
func callOptions(queue, summary string, priority int, final ...string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:             queue,
		StartToCloseTimeout:   callTimeout,
		DisableEagerExecution: queue != kyc.TaskQueue,
		Priority:              temporal.Priority{PriorityKey: priority},
		Summary:               summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        5 * time.Second,
			BackoffCoefficient:     2,
			MaximumInterval:        5 * time.Minute,
			NonRetryableErrorTypes: final,
		},
	}
}

// call runs an activity and waits for its result. C is a context.Context, which no workflow has.
func call[C, In, Out any](ctx workflow.Context, o workflow.ActivityOptions, activity func(C, In) (Out, error), in In) (out Out, err error) {
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, in).Get(ctx, &out)
	return out, err
}

// perform is call for an activity without a result.
func perform[C, In any](ctx workflow.Context, o workflow.ActivityOptions, activity func(C, In) error, in In) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), activity, in).Get(ctx, nil)
}

// failureType is the type of the error that an activity failed with; empty for success, a cancellation or a timeout.
func failureType(err error) string {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Type()
	}
	return ""
}

// pause sets a timer, whose summary says what follows, and waits for it.
func pause(ctx workflow.Context, d time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, d, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}

// refusals are the errors that no retry fixes while a person waits for the URL.
func refusals() []string {
	return []string{kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeNotFound}
}
