package tracing

import (
	"context"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

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

func (t *tally) counts() (ended, sent int64) { return t.ended.Load(), t.sent.Load() }

// endings returns the processor that counts the ends of spans.
func (t *tally) endings() sdktrace.SpanProcessor { return ending{t} }

type ending struct{ t *tally }

// OnStart implements sdktrace.SpanProcessor.
func (ending) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (e ending) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		e.t.ended.Add(1)
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (ending) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (ending) ForceFlush(context.Context) error { return nil }
