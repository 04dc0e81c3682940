package tracing

import (
	"context"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
)

// tracer implements what the SDK's tracing interceptor needs. The header is that of all Temporal SDKs, with a W3C traceparent
// in it.
type tracer struct {
	interceptor.BaseTracer
	otel trace.Tracer
	runs *runs
}

type spanKey struct{}

// Options leaves queries out: every read of a state is one.
func (t *tracer) Options() interceptor.TracerOptions {
	return interceptor.TracerOptions{
		SpanContextKey: spanKey{}, HeaderKey: "_tracer-data", DisableQueryTracing: true, AllowInvalidParentSpans: true,
	}
}

var w3c propagation.TraceContext

// span is a span, or the place of one in another process.
type span struct {
	trace.Span
	onSuccess []attribute.KeyValue // set only if the operation succeeds
}

// UnmarshalSpan reads a header.
func (t *tracer) UnmarshalSpan(m map[string]string) (interceptor.TracerSpanRef, error) {
	ctx := w3c.Extract(context.Background(), propagation.MapCarrier(m))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil, nil //nolint:nilnil // no span: what the interceptor asks for
	}
	return span{Span: trace.SpanFromContext(ctx)}, nil
}

// MarshalSpan writes a header.
func (t *tracer) MarshalSpan(s interceptor.TracerSpan) (map[string]string, error) {
	m := propagation.MapCarrier{}
	w3c.Inject(trace.ContextWithSpan(context.Background(), otelOf(s)), m)
	return m, nil
}

// SpanFromContext returns the span of a context.
func (t *tracer) SpanFromContext(ctx context.Context) interceptor.TracerSpan {
	if s := trace.SpanFromContext(ctx); s.SpanContext().IsValid() {
		return span{Span: s}
	}
	return nil
}

// ContextWithSpan puts a span on a context.
func (t *tracer) ContextWithSpan(ctx context.Context, s interceptor.TracerSpan) context.Context {
	return trace.ContextWithSpan(ctx, otelOf(s))
}

// The interceptor's names of operations, and of tags, which become attributes.
const (
	opRunWorkflow    = "RunWorkflow"
	opHandleSignal   = "HandleSignal"
	opValidateUpdate = "ValidateUpdate"
	opSignal         = "SignalWorkflow"
	tagRunID         = "temporalRunID"
)

// StartSpan starts a span. A signal is handled in the trace of its sender. The workflow's own trace gets a span with a link to
// the signal, and the signal's span gets a link to the workflow.
func (t *tracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	ctx := withKey(context.Background(), o.IdempotencyKey)
	if parent := otelOf(o.Parent); parent != nil {
		ctx = trace.ContextWithSpanContext(ctx, parent.SpanContext())
	}
	if o.Operation == opValidateUpdate { // our updates have no validator
		return span{Span: trace.SpanFromContext(ctx)}, nil
	}
	kind := trace.SpanKindServer
	if o.ToHeader {
		kind = trace.SpanKindClient
	}
	var attrs, onSuccess []attribute.KeyValue
	for k, v := range o.Tags {
		attrs = append(attrs, attribute.String(k, v))
	}
	if o.Operation == opSignal { // until one of our workflows takes it, it may be about any user
		attrs, onSuccess = nil, attrs
	}
	_, s := t.otel.Start(ctx, t.SpanName(o), trace.WithTimestamp(o.Time), trace.WithSpanKind(kind), trace.WithAttributes(attrs...))
	switch o.Operation {
	case opRunWorkflow:
		t.runs.Add(o.Tags[tagRunID], s.SpanContext())
	case opHandleSignal:
		if run, known := t.runs.Peek(o.Tags[tagRunID]); known {
			t.link(o, run, s, attrs)
		}
	}
	return span{Span: s, onSuccess: onSuccess}, nil
}

// link links the span of a signal with its workflow's trace, in both directions.
func (t *tracer) link(o *interceptor.TracerStartSpanOptions, run trace.SpanContext, signal trace.Span, attrs []attribute.KeyValue) {
	signal.AddLink(trace.Link{SpanContext: run})
	ctx := trace.ContextWithSpanContext(context.Background(), run)
	_, s := t.otel.Start(ctx, "Signal:"+o.Name, trace.WithTimestamp(o.Time), trace.WithAttributes(attrs...),
		trace.WithLinks(trace.Link{SpanContext: signal.SpanContext()}))
	s.End()
}

// GetLogger adds the trace to the log lines of a workflow or an activity.
func (t *tracer) GetLogger(l log.Logger, ref interceptor.TracerSpanRef) log.Logger {
	s := otelOf(ref)
	if s == nil {
		return l
	}
	return log.With(l, keyTrace, s.SpanContext().TraceID().String(), keySpan, s.SpanContext().SpanID().String())
}

func otelOf(ref interceptor.TracerSpanRef) trace.Span {
	if s, ok := ref.(span); ok {
		return s.Span
	}
	return nil
}

// Finish ends the span. It records only the type of an error: a text may quote anything.
func (s span) Finish(o *interceptor.TracerFinishSpanOptions) {
	var app *temporal.ApplicationError
	switch {
	case o.Error == nil:
		s.SetAttributes(s.onSuccess...)
	case errors.As(o.Error, &app) && app.Category() == temporal.ApplicationErrorCategoryBenign:
		s.SetAttributes(attribute.String("error.type", app.Type())) // waiting is not failing
	case app != nil:
		fail(s, app.Type())
	default:
		fail(s, "error")
	}
	s.End()
}

func fail(s trace.Span, kind string) {
	s.SetAttributes(attribute.String("error.type", kind))
	s.SetStatus(codes.Error, kind)
}

// runs remembers the spans of the workflows that ran here last, for the signals that come to them.
type runs = lru.Cache[string, trace.SpanContext]

const rememberedRuns = 10_000 // as many as the SDK keeps workflows

func newRuns() *runs {
	r, _ := lru.New[string, trace.SpanContext](rememberedRuns) // it fails for a size below one
	return r
}
