package activities

import (
	"context"
	"runtime/debug"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
)

// HidePanics returns a worker's interceptor that drops the value of a panic: the SDK would write it into the history and the
// log, and it may quote what Didit sent about a person. The log keeps the place.
func HidePanics() interceptor.WorkerInterceptor { return &hidePanics{} }

type hidePanics struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity wraps every activity of the worker.
func (*hidePanics) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &hiddenActivity{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type hiddenActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

// errorTypePanic is the SDK's name for a panic.
const errorTypePanic = "PanicError"

// ExecuteActivity turns a panic into an error. As with the SDK's own, the retry policy decides what happens next.
func (a *hiddenActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	defer func() {
		if recover() != nil {
			activity.GetLogger(ctx).Error("panic in an activity", "stack", string(debug.Stack()))
			out, err = nil, temporal.NewApplicationError("the activity panicked: see the worker's log for the place", errorTypePanic)
		}
	}()
	return a.Next.ExecuteActivity(ctx, in)
}
