package tracing

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"didit-temporal/internal/httpstatus"
)

// Whether a server continues the trace that a request names.
const (
	NewTrace  = false // strangers call: their trace ids are not ours
	JoinTrace = true  // our own programs call
)

// Handler gives every request of a server a span. route names a request by its route, never by its path, which holds ids; an
// empty route gets no span.
func (t *Tracing) Handler(next http.Handler, join bool, route func(*http.Request) string) http.Handler {
	if !t.On() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := route(r)
		if name == "" {
			next.ServeHTTP(w, r)
			return
		}
		ctx := r.Context()
		if join {
			ctx = w3c.Extract(ctx, propagation.HeaderCarrier(r.Header))
		}
		verb := method(r.Method)
		ctx, s := t.tracer.Start(ctx, verb+" "+name, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", verb), attribute.String("http.route", name)))
		defer end(s)
		status := httpstatus.Of(w)
		next.ServeHTTP(status, r.WithContext(ctx))
		s.SetAttributes(attribute.Int("http.response.status_code", status.Status))
		if status.Status >= http.StatusInternalServerError {
			fail(s, http.StatusText(status.Status))
		}
	})
}

// end ends a span when a function returns or panics. A deferred End writes the value of a panic into the span, and that may
// quote what Didit sent about a person.
func end(s trace.Span) { s.End() }

// method bounds the names of spans: a stranger may send any method.
func method(m string) string {
	if m == http.MethodGet || m == http.MethodPost {
		return m
	}
	return "_OTHER" // as OpenTelemetry specifies
}

// Transport gives every call that goes through next a span. name names a call without its ids. The call carries no trace
// header.
func (t *Tracing) Transport(next http.RoundTripper, name func(method, path string) string) http.RoundTripper {
	if !t.On() {
		return next
	}
	return transport{tracer: t.tracer, next: next, name: name}
}

// OwnTransport is for calls to another program of the operator, which may continue the trace. Its address may be a secret,
// so the span does not name it.
func (t *Tracing) OwnTransport(next http.RoundTripper, name string) http.RoundTripper {
	if !t.On() {
		return next
	}
	return transport{tracer: t.tracer, next: next, name: func(string, string) string { return name }, own: true}
}

type transport struct {
	tracer trace.Tracer
	next   http.RoundTripper
	name   func(method, path string) string
	own    bool
}

// RoundTrip makes the call.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	attrs := []attribute.KeyValue{attribute.String("http.request.method", req.Method)}
	if !t.own {
		attrs = append(attrs, attribute.String("server.address", req.URL.Hostname()))
	}
	ctx, s := t.tracer.Start(req.Context(), t.name(req.Method, req.URL.Path), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	defer end(s)
	req = req.Clone(ctx) // a RoundTripper leaves its request alone
	if t.own {
		w3c.Inject(ctx, propagation.HeaderCarrier(req.Header))
	}
	res, err := t.next.RoundTrip(req)
	if err != nil {
		fail(s, "no answer")
		return nil, err
	}
	s.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
	if res.StatusCode >= http.StatusBadRequest {
		fail(s, http.StatusText(res.StatusCode))
	}
	return res, nil
}

// Names of what correlates log lines with a trace.
const (
	keyTrace = "trace_id"
	keySpan  = "span_id"
)

// Log adds the trace of a line's context to the line.
func (t *Tracing) Log(l *slog.Logger) *slog.Logger {
	if !t.On() {
		return l
	}
	return slog.New(logHandler{l.Handler()})
}

type logHandler struct{ slog.Handler }

// Handle writes a record.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		r.AddAttrs(slog.String(keyTrace, s.TraceID().String()), slog.String(keySpan, s.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the trace.
func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }

// WithGroup keeps the trace.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
