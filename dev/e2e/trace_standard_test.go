package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/skip"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

var jaegerFile = flag.String("jaeger", "", "a Jaeger v2 `program`, which then takes the traces of one verification")

// tracing is what a process reads of OpenTelemetry's variables.
func tracing(t *testing.T) config.Telemetry {
	t.Helper()
	w, _ := config.ForWorker(os.Getenv) // the other settings do not matter here
	require.True(t, w.Telemetry.Tracing)
	w.Telemetry.MetricsAddr = ""
	return w.Telemetry
}

// grpcOTLP takes traces by gRPC.
type grpcOTLP struct {
	collector.UnimplementedTraceServiceServer
	o *otlp
}

func (g grpcOTLP) Export(_ context.Context, req *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	g.o.mu.Lock()
	defer g.o.mu.Unlock()
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			g.o.spans = append(g.o.spans, ss.GetSpans()...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestTracesGoByGRPCWhereTheProtocolSaysSo(t *testing.T) {
	skip.Long(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	taken, srv := &otlp{}, grpc.NewServer()
	collector.RegisterTraceServiceServer(srv, grpcOTLP{o: taken})
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(srv.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"+listener.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	s := start(t, options{observe: tracing(t)})
	s.press(s.begin("traced").Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("traced").Outcome)
	for _, name := range []string{"RunWorkflow:Verification", "Didit POST session", "POST /webhooks/didit"} {
		s.eventually(func() bool { return len(taken.named(name)) > 0 }, name)
	}
	assert.True(t, s.logs.contain("msg=traces", "url=http://"+listener.Addr().String(), "protocol=grpc"), "one line says where they go")
}

// jaeger is a Jaeger that keeps traces in memory.
type jaeger struct{ ui, otlp string }

func startJaeger(t *testing.T) jaeger {
	t.Helper()
	if *jaegerFile == "" {
		t.Skip("no -jaeger: traces are NOT shown in a real Jaeger")
	}
	var ports [4]string
	for i := range ports {
		ports[i] = harness.Address(t)
	}
	file := filepath.Join(t.TempDir(), "jaeger.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
extensions:
  jaeger_storage: { backends: { memory: { memory: { max_traces: 1000 } } } }
  jaeger_query: { storage: { traces: memory }, http: { endpoint: %q }, grpc: { endpoint: %q } }
receivers: { otlp: { protocols: { http: { endpoint: %q }, grpc: { endpoint: %q } } } }
exporters: { jaeger_storage_exporter: { trace_storage: memory } }
`, ports[0], ports[1], ports[2], ports[3])), 0o600))
	cmd := exec.CommandContext(t.Context(), *jaegerFile, "--config", file)
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, 10*time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	j := jaeger{ui: "http://" + ports[0], otlp: "http://" + ports[2]}
	require.Eventually(t, func() bool { return j.get("/api/services", new(any)) == nil }, timeout, 100*time.Millisecond, "Jaeger is up")
	return j
}

func (j jaeger) get(path string, out any) error {
	res, err := http.Get(j.ui + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(out)
}

// One verification in a real Jaeger: a trace from the start to the verdict, with the variable that is for traces alone.
func TestARealJaegerShowsTheTrace(t *testing.T) {
	j := startJaeger(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", j.otlp+"/v1/traces")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	s := start(t, options{observe: tracing(t)})
	s.press(s.begin("traced").Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("traced").Outcome)
	var found map[string]bool
	s.eventually(func() bool {
		found = j.operations("didit-temporal-worker")
		return found["RunWorkflow:Verification"] && found["Didit POST session"] && found["Didit GET session/*/decision"]
	}, "the worker's spans")
	s.eventually(func() bool { return j.operations("didit-temporal-webhook")["POST /webhooks/didit"] }, "the webhook's spans")
	t.Logf("Jaeger shows %d operations of the worker's traces: %v", len(found), found)
}

func (j jaeger) operations(service string) map[string]bool {
	var answer struct {
		Data []struct {
			Spans []struct{ OperationName string }
		}
	}
	out := map[string]bool{}
	if j.get("/api/traces?limit=50&service="+service, &answer) != nil {
		return out
	}
	for _, trace := range answer.Data {
		for _, span := range trace.Spans {
			out[strings.TrimSpace(span.OperationName)] = true
		}
	}
	return out
}
