package activities

import (
	"context"
	"runtime/debug"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
)

// HidePanics returns a worker's interceptor that keeps the value of a panic to itself: the SDK would write it into the
// history and the log, and it may quote what Didit sent about a person. What is left is that there was one, and where.
func HidePanics() interceptor.WorkerInterceptor { return &hidePanics{} }

type hidePanics struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity stands around every activity of the worker.
func (*hidePanics) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &hiddenActivity{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type hiddenActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

// errorTypePanic is how the SDK calls a panic.
const errorTypePanic = "PanicError"

// ExecuteActivity makes an error of a panic. As with the SDK's own, the retry policy decides what happens next.
func (a *hiddenActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	defer func() {
		if recover() != nil {
			activity.GetLogger(ctx).Error("panic in an activity", "stack", string(debug.Stack()))
			out, err = nil, temporal.NewApplicationError("the activity panicked; the worker's log has the place", errorTypePanic)
		}
	}()
	return a.Next.ExecuteActivity(ctx, in)
}
