package scan

import (
	"context"
	"net/http/httptrace"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

// panicVariable turns this test's binary into a worker, and names the file that lets its activities panic.
const panicVariable = "SCAN_PANIC_WHILE"

// runPanicky is worker/main.go, with one fault: while the file is there, every call of an activity to Didit, to the
// receiver of results and to Temporal panics where it is made.
func runPanicky() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := config.ForWorker(os.Getenv)
	if err != nil {
		return err
	}
	logger := config.NewLogger(os.Stdout, cfg.Telemetry.LogLevel, cfg.Telemetry.LogFormat)
	watch, err := app.StartTelemetry(ctx, cfg.Telemetry, "worker", logger)
	if err != nil {
		return err
	}
	defer watch.Close()
	options := client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Logger: log.NewStructuredLogger(logger)}
	cfg.PayloadKeys.Apply(&options)
	options.ContextPropagators = append(options.ContextPropagators, faultyHTTP{})
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(faultyGRPC))
	c, err := kyc.Dial(ctx, watch.Client(options))
	if err != nil {
		return err
	}
	defer c.Close()
	return app.RunWorker(ctx, c, cfg, logger, watch)
}

// panicIfAsked panics as if it quoted what Didit sent.
func panicIfAsked() {
	if _, err := os.Stat(os.Getenv(panicVariable)); err == nil {
		panic(marker("panic") + " " + markedEmail + " " + apiKey)
	}
}

func faultyGRPC(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if activity.IsActivity(ctx) {
		panicIfAsked()
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// faultyHTTP reaches the HTTP calls of activities through the one thing that all of them share, their context.
type faultyHTTP struct{}

func (faultyHTTP) Inject(context.Context, workflow.HeaderWriter) error              { return nil }
func (faultyHTTP) InjectFromWorkflow(workflow.Context, workflow.HeaderWriter) error { return nil }

func (faultyHTTP) Extract(ctx context.Context, _ workflow.HeaderReader) (context.Context, error) {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { panicIfAsked() }}), nil
}

func (faultyHTTP) ExtractToWorkflow(ctx workflow.Context, _ workflow.HeaderReader) (workflow.Context, error) {
	return ctx, nil
}
