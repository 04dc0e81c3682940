package app

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	sdkworker "go.temporal.io/sdk/worker"

	"didit-temporal/activities"
)

// The text of a panic must not get past the first interceptor. That it does not, whatever else is around, is shown with the
// whole worker in dev/scan.
func TestPanicsAreHiddenOnEveryQueue(t *testing.T) {
	o := workerOptions(func(error) {})
	for name, options := range map[string]sdkworker.Options{
		"decisions": o, "writes": limited(o, 300, 1), "reads": limited(o, 600, 1),
	} {
		require.NotEmpty(t, options.Interceptors, name)
		require.IsType(t, activities.HidePanics(), options.Interceptors[0], name)
	}
}

// The queues for Didit must keep the interceptors of all activities.
func TestLimitedQueuesKeepTheOthersInterceptors(t *testing.T) {
	first := activities.HidePanics()
	o := sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{first}}
	write, read := limited(o, 300, 1), limited(o, 600, 1)
	require.Len(t, write.Interceptors, 2)
	require.Len(t, read.Interceptors, 2)
	require.Same(t, first, write.Interceptors[0])
	require.NotSame(t, write.Interceptors[1], read.Interceptors[1], "a gate for each limit")
}
