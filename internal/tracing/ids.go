package tracing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"

	"go.opentelemetry.io/otel/trace"
)

// ids makes ids of spans: random ones, or, for the span of a workflow, the same one whenever it is replayed. Otherwise a
// workflow that moves to another worker would leave its first activities without a parent.
type ids struct{}

type keyOfSpan struct{}

// withKey makes the id of the next span follow from key.
func withKey(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return context.WithValue(ctx, keyOfSpan{}, key)
}

// NewIDs makes the ids of a span that begins a trace.
func (ids) NewIDs(ctx context.Context) (t trace.TraceID, s trace.SpanID) {
	fill(ctx, "trace", t[:])
	fill(ctx, "span", s[:])
	return t, s
}

// NewSpanID makes the id of a span within a trace.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) (s trace.SpanID) {
	fill(ctx, "span", s[:])
	return s
}

func fill(ctx context.Context, what string, id []byte) {
	key, fixed := ctx.Value(keyOfSpan{}).(string)
	if !fixed {
		_, _ = rand.Read(id) // never fails
		return
	}
	sum := sha256.Sum256([]byte(what + "\x00" + key))
	copy(id, sum[:])
}
