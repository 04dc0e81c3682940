package activities_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"didit-temporal/activities"
	"didit-temporal/didit"
)

func TestAPanicKeepsItsValueToItself(t *testing.T) {
	var out bytes.Buffer
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{activities.HidePanics()}})
	a := &activities.Activities{Didit: fakeDidit{
		list: func(didit.ListSessionsRequest) (didit.SessionPage, error) { panic("Jane Roe, born 1931") },
	}}
	env.RegisterActivity(a)
	_, err := env.ExecuteActivity(a.ListSessions, activities.UserInput{UserID: "u1"})
	var panicked *temporal.PanicError
	require.ErrorAs(t, err, &panicked, "the error has the type that the SDK gives a panic")
	require.Empty(t, panicked.StackTrace())
	require.NotContains(t, err.Error()+out.String(), "Jane")
	require.Contains(t, out.String(), "panic_test.go", "the log has the place")
}
