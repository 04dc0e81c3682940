// Package tracing follows a verification through the processes, with OpenTelemetry: a signup, the update, the workflow, its
// activities and their calls to Didit are one trace. A webhook is another request of another program, so it is a trace of its
// own; the two are linked where they meet.
//
// Spans carry ids, names, statuses and types of errors; never a URL, a header, a text of an error or a word about a person.
// Nothing of a trace is sent to Didit. The receiver of results, which is the operator's own, is told of it.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.temporal.io/sdk/interceptor"
)

// Tracing makes the spans of one process.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider // nil: off
}

// flushTimeout is for the last spans when a process stops.
const flushTimeout = 5 * time.Second

// Off makes no spans.
func Off() *Tracing { return &Tracing{tracer: noop.NewTracerProvider().Tracer("")} }

// Start sends spans by OTLP over HTTP to where the standard OTEL_ variables say, which OpenTelemetry's SDK reads. service is
// the name of this program unless OTEL_SERVICE_NAME gives another.
func Start(ctx context.Context, service string, log *slog.Logger) (*Tracing, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace to OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans are lost", "error", err) }))
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}))
	return &Tracing{tracer: p.Tracer("didit-temporal"), provider: p}, nil
}

// On reports whether spans are made.
func (t *Tracing) On() bool { return t.provider != nil }

// Close sends what has not been sent.
func (t *Tracing) Close() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the error handler has told it
}

// Interceptors are for client.Options; workers of that client take them too. None while tracing is off, so that nothing
// is written into a header.
func (t *Tracing) Interceptors() []interceptor.ClientInterceptor {
	if t.provider == nil {
		return nil
	}
	return []interceptor.ClientInterceptor{interceptor.NewTracingInterceptor(&tracer{otel: t.tracer, runs: newRuns()})}
}
