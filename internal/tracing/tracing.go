// Package tracing follows a verification through the processes, with OpenTelemetry: a signup, the update, the workflow, its
// activities and their calls to Didit are one trace. A webhook is another request of another program, so it is a trace of its
// own; links connect the two.
//
// Spans carry ids, names, statuses and types of errors; never a URL, a header, a text of an error or a word about a person.
// No trace header goes to Didit. The callback endpoint, which is the operator's own, gets one.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"go.temporal.io/sdk/interceptor"

	"didit-temporal/internal/config"
)

// Tracing makes the spans of one process.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider // nil: off
	tally    *tally
	flush    time.Duration // for the last spans when the process stops
	log      *slog.Logger
}

// flushTimeout is shorter than a platform waits for a process to stop.
const flushTimeout = 5 * time.Second

// Off makes no spans.
func Off() *Tracing { return &Tracing{tracer: noop.NewTracerProvider().Tracer("")} }

// Start sends spans by OTLP to the endpoint of to. OpenTelemetry's SDK reads headers, sampler and batching from the standard
// OTEL_ variables. service is the name of this program unless OTEL_SERVICE_NAME gives another.
func Start(ctx context.Context, service string, to config.Traces, log *slog.Logger) (*Tracing, error) {
	otel.SetLogger(logr.FromSlogHandler(log.Handler())) // its own writes lines of another form to standard error
	sent, err := exporter(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w: check the OTEL_EXPORTER_OTLP_ variables", to.URL, err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans are lost", "error", err) }))
	counted := &tally{SpanExporter: sent}
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(ending{sdktrace.NewBatchSpanProcessor(counted), counted}),
		sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}))
	log.Info("traces", "url", to.URL, "protocol", to.Protocol)
	return &Tracing{tracer: p.Tracer("didit-temporal"), provider: p, tally: counted, flush: flushTimeout, log: log}, nil
}

// exporter leaves the endpoint to the SDK, which reads it from the environment, unless there is none: the SDK's own default
// is https, that of the specification http.
func exporter(ctx context.Context, to config.Traces) (sdktrace.SpanExporter, error) {
	if to.Protocol == config.GRPC {
		var o []otlptracegrpc.Option
		if to.Unnamed {
			o = append(o, otlptracegrpc.WithEndpointURL(to.URL))
		}
		return otlptracegrpc.New(ctx, o...)
	}
	var o []otlptracehttp.Option
	if to.Unnamed {
		o = append(o, otlptracehttp.WithEndpointURL(to.URL))
	}
	return otlptracehttp.New(ctx, o...)
}

// On reports whether spans are made.
func (t *Tracing) On() bool { return t.provider != nil }

// Close sends the spans that are left.
func (t *Tracing) Close() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.flush)
	defer cancel()
	err := t.provider.Shutdown(ctx)
	if ended, sent := t.tally.ended.Load(), t.tally.sent.Load(); err != nil || ended > sent {
		t.log.Warn("spans are lost: the collector did not take them", "ended", ended, "sent", sent, "error", err)
	}
}

// Interceptors are for client.Options; workers of that client use them too. There are none while tracing is off, so that
// no header is written.
func (t *Tracing) Interceptors() []interceptor.ClientInterceptor {
	if t.provider == nil {
		return nil
	}
	return []interceptor.ClientInterceptor{interceptor.NewTracingInterceptor(&tracer{otel: t.tracer, runs: newRuns()})}
}

// tally counts the spans that ended and those that the collector accepted. The SDK silently drops what a full queue cannot
// hold, and what is left at the end of a stop.
type tally struct {
	sdktrace.SpanExporter
	ended, sent atomic.Int64
}

// ExportSpans sends a batch.
func (t *tally) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		t.sent.Add(int64(len(spans)))
	}
	return err
}

// ending is a processor that counts the ends of spans.
type ending struct {
	sdktrace.SpanProcessor
	t *tally
}

// OnEnd implements sdktrace.SpanProcessor.
func (e ending) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		e.t.ended.Add(1)
	}
	e.SpanProcessor.OnEnd(s)
}
