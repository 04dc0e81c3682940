package tracing

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
)

func recorded() (*Tracing, *tracetest.SpanRecorder) {
	r := tracetest.NewSpanRecorder()
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r), sdktrace.WithIDGenerator(ids{}))
	return &Tracing{tracer: p.Tracer("test"), provider: p}, r
}

func (t *Tracing) temporal() *tracer { return &tracer{otel: t.tracer, runs: newRuns()} }

func TestAWorkflowKeepsItsSpanWhenItIsReplayedElsewhere(t *testing.T) {
	one, _ := recorded()
	other, _ := recorded()
	o := interceptor.TracerStartSpanOptions{Operation: opRunWorkflow, Name: "Verification", IdempotencyKey: "run-1:1", Time: time.Now()}
	a, err := one.temporal().StartSpan(&o)
	require.NoError(t, err)
	b, err := other.temporal().StartSpan(&o)
	require.NoError(t, err)
	assert.Equal(t, otelOf(a).SpanContext().TraceID(), otelOf(b).SpanContext().TraceID())
	assert.Equal(t, otelOf(a).SpanContext().SpanID(), otelOf(b).SpanContext().SpanID())
	o.IdempotencyKey = "run-2:1"
	c, err := one.temporal().StartSpan(&o)
	require.NoError(t, err)
	assert.NotEqual(t, otelOf(a).SpanContext().SpanID(), otelOf(c).SpanContext().SpanID())
}

func TestHeadersCarryATraceToAnotherProcess(t *testing.T) {
	on, _ := recorded()
	tr := on.temporal()
	s, err := tr.StartSpan(&interceptor.TracerStartSpanOptions{Operation: "StartWorkflow", Name: "Verification", ToHeader: true})
	require.NoError(t, err)
	header, err := tr.MarshalSpan(s)
	require.NoError(t, err)
	parent, err := tr.UnmarshalSpan(header)
	require.NoError(t, err)
	child, err := tr.StartSpan(&interceptor.TracerStartSpanOptions{Operation: opRunWorkflow, Parent: parent})
	require.NoError(t, err)
	assert.Equal(t, otelOf(s).SpanContext().TraceID(), otelOf(child).SpanContext().TraceID())

	none, err := tr.UnmarshalSpan(map[string]string{"traceparent": "nonsense"})
	require.NoError(t, err, "a broken header must not stop a workflow")
	assert.Nil(t, none)
}

// A webhook comes in another request than the signup: two traces, each of which leads to the other.
func TestASignalAndItsWorkflowAreLinkedBothWays(t *testing.T) {
	on, r := recorded()
	tr := on.temporal()
	tags := map[string]string{tagRunID: "run-1"}
	run, err := tr.StartSpan(&interceptor.TracerStartSpanOptions{Operation: opRunWorkflow, Name: "Verification", Tags: tags})
	require.NoError(t, err)
	sent, err := tr.StartSpan(&interceptor.TracerStartSpanOptions{Operation: "SignalWorkflow", Name: "didit-event", ToHeader: true})
	require.NoError(t, err)
	handled, err := tr.StartSpan(&interceptor.TracerStartSpanOptions{Operation: opHandleSignal, Name: "didit-event", Tags: tags, Parent: sent})
	require.NoError(t, err)
	handled.Finish(&interceptor.TracerFinishSpanOptions{})

	var linked, back trace.SpanContext
	for _, s := range r.Ended() {
		switch s.Name() {
		case "HandleSignal:didit-event":
			assert.Equal(t, otelOf(sent).SpanContext().TraceID(), s.SpanContext().TraceID())
			linked = s.Links()[0].SpanContext
		case "Signal:didit-event":
			assert.Equal(t, otelOf(run).SpanContext().TraceID(), s.SpanContext().TraceID())
			back = s.Links()[0].SpanContext
		}
	}
	assert.Equal(t, otelOf(run).SpanContext().SpanID(), linked.SpanID())
	assert.Equal(t, otelOf(handled).SpanContext().SpanID(), back.SpanID())
}

func TestASpanHasTheTypeOfAnErrorAndNotItsText(t *testing.T) {
	on, r := recorded()
	for _, err := range []error{
		temporal.NewApplicationError("Jane Doe, born 1980", "DiditRejected"),
		temporal.NewApplicationErrorWithOptions("wait", "DiditRateLimited", temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign}),
		errors.New("https://verify.didit.me/session/TOKEN"),
		nil,
	} {
		s, startErr := on.temporal().StartSpan(&interceptor.TracerStartSpanOptions{Operation: "RunActivity", Name: "a"})
		require.NoError(t, startErr)
		s.Finish(&interceptor.TracerFinishSpanOptions{Error: err})
	}
	var got []string
	for _, s := range r.Ended() {
		got = append(got, s.Status().Code.String()+":"+s.Status().Description)
		assert.Empty(t, s.Events())
	}
	assert.Equal(t, []string{"Error:DiditRejected", "Unset:", "Error:error", "Unset:"}, got)
}

type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// Didit gets no header of the trace, and the span no path, which holds ids.
func TestACallToDiditIsASpanOfWhichDiditLearnsNothing(t *testing.T) {
	on, r := recorded()
	var sent http.Header
	rt := on.Transport(answers(func(req *http.Request) (*http.Response, error) {
		sent = req.Header.Clone()
		return &http.Response{StatusCode: http.StatusTooManyRequests, Body: http.NoBody}, nil
	}), func(string, string) string { return "Didit GET decision" })
	ctx, parent := on.tracer.Start(t.Context(), "activity")
	res, err := rt.RoundTrip(httptest.NewRequestWithContext(ctx, http.MethodGet, "https://didit.example/v3/session/SECRET/decision/?q=1", nil))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Empty(t, sent)
	s := r.Ended()[0]
	assert.Equal(t, "Didit GET decision", s.Name())
	assert.Equal(t, parent.SpanContext().SpanID(), s.Parent().SpanID())
	assert.Equal(t, codes.Error, s.Status().Code)
	for _, a := range s.Attributes() {
		assert.NotContains(t, a.Value.String(), "SECRET", a.Key)
	}
}

// OpenTelemetry writes the value of a panic into a span that is ended by defer.
func TestASpanKeepsTheValueOfAPanicToItself(t *testing.T) {
	on, r := recorded()
	rt := on.Transport(answers(func(*http.Request) (*http.Response, error) { panic("Jane Doe, born 1980") }), func(string, string) string { return "Didit" })
	assert.Panics(t, func() {
		res, err := rt.RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://didit.example/", nil))
		require.NoError(t, errors.Join(err, res.Body.Close()))
	})
	h := on.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("Jane Doe, born 1980") }), NewTrace, func(*http.Request) string { return "/a" })
	assert.Panics(t, func() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a", nil))
	})
	require.Len(t, r.Ended(), 2)
	for _, s := range r.Ended() {
		assert.Empty(t, s.Events())
		assert.NotContains(t, s.Status().Description, "Jane")
	}
}

// The receiver of results is the operator's own: it may go on with the trace. Its address may be a secret.
func TestTheCallbackEndpointGetsTheTrace(t *testing.T) {
	on, r := recorded()
	var sent http.Header
	rt := on.OwnTransport(answers(func(req *http.Request) (*http.Response, error) {
		sent = req.Header
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
	}), "POST result")
	ctx, parent := on.tracer.Start(t.Context(), "activity")
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "https://SECRET.example/SECRET", nil)
	res, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Empty(t, req.Header, "a RoundTripper leaves its request alone")
	s := r.Ended()[0]
	assert.Equal(t, parent.SpanContext().SpanID(), s.Parent().SpanID())
	assert.Equal(t, "00-"+s.SpanContext().TraceID().String()+"-"+s.SpanContext().SpanID().String()+"-01", sent.Get("Traceparent"))
	for _, a := range s.Attributes() {
		assert.NotContains(t, a.Value.String(), "SECRET", a.Key)
	}
}

// A webhook of another system's session asks for a workflow by a name that the other system chose.
func TestASignalThatNoWorkflowTakesDoesNotNameItsUser(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"taken":   {nil, 1},
		"foreign": {serviceerror.NewNotFound("no such workflow"), 0},
		"unknown": {errors.New("unavailable"), 0},
	} {
		on, r := recorded()
		s, err := on.temporal().StartSpan(&interceptor.TracerStartSpanOptions{
			Operation: opSignal, Name: "didit-event", Tags: map[string]string{"temporalWorkflowID": "kyc-jane.doe@example.com"}, ToHeader: true,
		})
		require.NoError(t, err)
		s.Finish(&interceptor.TracerFinishSpanOptions{Error: tc.err})
		n := 0
		for _, a := range r.Ended()[0].Attributes() {
			if a.Key == "temporalWorkflowID" {
				n++
			}
		}
		assert.Equal(t, tc.want, n, name)
	}
}

func TestOnlyOurOwnCallersChooseTheirTrace(t *testing.T) {
	on, r := recorded()
	var log bytes.Buffer
	logger := on.Log(slog.New(slog.NewTextHandler(&log, nil)))
	next := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		logger.InfoContext(req.Context(), "served")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	req := func() *http.Request {
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a", nil)
		q.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		return q
	}
	route := func(*http.Request) string { return "/a" }
	on.Handler(next, JoinTrace, route).ServeHTTP(httptest.NewRecorder(), req())
	on.Handler(next, NewTrace, route).ServeHTTP(httptest.NewRecorder(), req())
	on.Handler(next, JoinTrace, func(*http.Request) string { return "" }).ServeHTTP(httptest.NewRecorder(), req())
	require.Len(t, r.Ended(), 2)
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", r.Ended()[0].SpanContext().TraceID().String())
	assert.NotEqual(t, "0af7651916cd43dd8448eb211c80319c", r.Ended()[1].SpanContext().TraceID().String())
	assert.Equal(t, codes.Error, r.Ended()[0].Status().Code)
	assert.Contains(t, log.String(), "trace_id=0af7651916cd43dd8448eb211c80319c")
}

func TestOffLeavesNoTrace(t *testing.T) {
	off := Off()
	assert.Empty(t, off.Interceptors(), "nothing may be written into a history's headers")
	assert.Nil(t, off.Transport(nil, nil))
	assert.Nil(t, off.OwnTransport(nil, ""))
	off.Close()
}

func TestOldRunsAreDropped(t *testing.T) {
	r := newRuns()
	s := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	for i := range rememberedRuns + 1 {
		r.Add(time.Duration(i).String(), s)
	}
	_, known := r.Peek("0s")
	assert.False(t, known)
	assert.Equal(t, rememberedRuns, r.Len())
}
