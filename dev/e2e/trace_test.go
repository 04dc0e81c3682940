package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

// otlp is a receiver of traces.
type otlp struct {
	mu    sync.Mutex
	spans []*trace.Span
}

// receiveTraces starts a receiver and points OpenTelemetry's variables at it.
func receiveTraces(t *testing.T) *otlp {
	t.Helper()
	o := &otlp{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var req collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &req) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, rs := range req.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				o.spans = append(o.spans, ss.GetSpans()...)
			}
		}
	}))
	t.Cleanup(srv.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	return o
}

// named returns the spans whose name begins so.
func (o *otlp) named(prefix string) (found []*trace.Span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.spans {
		if strings.HasPrefix(s.GetName(), prefix) {
			found = append(found, s)
		}
	}
	return found
}

func TestATraceLeadsFromSignupToVerdict(t *testing.T) {
	traces := receiveTraces(t)
	s := start(t, options{observe: config.Observe{Tracing: true}})
	started := s.begin("traced")
	s.press(started.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("traced").Outcome)
	s.eventually(func() bool { return len(traces.named("RunWorkflow:Verification")) > 0 }, "the workflow's span comes last")

	signup := traces.named("UpdateWithStartWorkflow:session")[0]
	id := signup.GetTraceId()
	for _, name := range []string{
		"HandleUpdate:session", "RunActivity:CreateSession", "Didit POST session", "Signal:didit-event", "RunActivity:ReadDecision",
		"Didit GET session/*/decision", "RunWorkflow:Verification",
	} {
		found := traces.named(name)
		require.NotEmpty(t, found, name)
		assert.Equal(t, hex.EncodeToString(id), hex.EncodeToString(found[0].GetTraceId()), "%s is of another trace than the signup", name)
	}
	for _, child := range [][2]string{
		{"RunWorkflow:Verification", "UpdateWithStartWorkflow:session"}, {"Didit POST session", "RunActivity:CreateSession"},
		{"Signal:didit-event", "RunWorkflow:Verification"},
	} {
		assert.Equal(t, traces.named(child[1])[0].GetSpanId(), traces.named(child[0])[0].GetParentSpanId(), "%s under %s", child[0], child[1])
	}

	// The webhook is a trace of its own. Each leads to the other.
	handled := traces.named("HandleSignal:didit-event")[0]
	assert.NotEqual(t, id, handled.GetTraceId())
	assert.Equal(t, id, handled.GetLinks()[0].GetTraceId(), "from the webhook to the verification")
	assert.True(t, slices.ContainsFunc(traces.named("Signal:didit-event"), func(met *trace.Span) bool {
		return string(met.GetLinks()[0].GetTraceId()) == string(handled.GetTraceId())
	}), "from the verification to the webhook")
	webhooks := traces.named("POST /webhooks/didit")
	require.NotEmpty(t, webhooks)
	assert.True(t, slices.ContainsFunc(webhooks, func(w *trace.Span) bool { return string(w.GetTraceId()) == string(handled.GetTraceId()) }))

	traces.mu.Lock()
	defer traces.mu.Unlock()
	for _, span := range traces.spans {
		all := span.String()
		for _, hidden := range []string{started.Session.URL, started.Session.SessionToken, apiKey, secret} {
			assert.NotContains(t, all, hidden, span.GetName())
		}
	}
}

// Switching traces off leaves nothing in a history.
func TestWithoutTracingHistoryHoldsNoTrace(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	started := s.begin("untraced")
	events := s.Temporal().GetWorkflowHistory(t.Context(), kyc.WorkflowID("untraced"), started.RunID, false, 0)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		assert.NotContains(t, event.String(), "_tracer-data")
	}
}
