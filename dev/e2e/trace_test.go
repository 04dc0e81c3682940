package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
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

// way is what one trace holds, from the signup's request to the callback.
var way = []string{
	"POST /v1/verifications", "UpdateWithStartWorkflow:session", "HandleUpdate:session", "RunWorkflow:Verification",
	"StartActivity:CreateSession", "RunActivity:CreateSession", "Didit POST session", "Signal:didit-event",
	"StartActivity:ReadDecision", "RunActivity:ReadDecision", "Didit GET session/*/decision",
	"StartActivity:SendResult", "RunActivity:SendResult", "POST result",
}

func TestATraceLeadsFromSignupToCallback(t *testing.T) {
	traces := receiveTraces(t)
	signup := newSignup(t, nil)
	s := start(t, options{observe: config.Telemetry{Tracing: true}, resultURL: signup.URL})
	a := serveAPI(s)
	started := a.post(`{"user_id":"traced"}`)
	require.Equal(t, http.StatusCreated, started.code)
	s.press(started.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.closed("traced").Outcome)
	for _, name := range append([]string{"HandleSignal:didit-event", "POST /webhooks/didit"}, way...) {
		s.eventually(func() bool { return len(traces.named(name)) > 0 }, "each process sends its spans when it likes: "+name)
	}

	request := traces.named("POST /v1/verifications")[0]
	id := request.GetTraceId()
	assert.Empty(t, request.GetParentSpanId(), "the trace begins with the signup")
	for _, name := range way {
		found := traces.named(name)
		require.NotEmpty(t, found, name)
		for _, span := range found {
			assert.Equal(t, hex.EncodeToString(id), hex.EncodeToString(span.GetTraceId()), "%s is of another trace than the signup", name)
		}
		t.Logf("%s %s", hex.EncodeToString(found[0].GetTraceId()), name)
	}
	for _, child := range [][2]string{
		{"UpdateWithStartWorkflow:session", "POST /v1/verifications"}, {"RunWorkflow:Verification", "UpdateWithStartWorkflow:session"},
		{"Didit POST session", "RunActivity:CreateSession"}, {"Signal:didit-event", "RunWorkflow:Verification"},
		{"Didit GET session/*/decision", "RunActivity:ReadDecision"}, {"POST result", "RunActivity:SendResult"},
	} {
		assert.Equal(t, traces.named(child[1])[0].GetSpanId(), traces.named(child[0])[0].GetParentSpanId(), "%s under %s", child[0], child[1])
	}
	sent := traces.named("POST result")[0]
	assert.Equal(t, "00-"+hex.EncodeToString(id)+"-"+hex.EncodeToString(sent.GetSpanId())+"-01", signup.got()[0].header.Get("Traceparent"))
	assertWebhooksAreLinked(t, traces, id)

	// Those that the webhooks began are the only other ones.
	webhooks := map[string]bool{}
	for _, span := range traces.named("POST /webhooks/didit") {
		webhooks[string(span.GetTraceId())] = true
	}
	traces.mu.Lock()
	defer traces.mu.Unlock()
	for _, span := range traces.spans {
		assert.True(t, string(span.GetTraceId()) == string(id) || webhooks[string(span.GetTraceId())], "%s is of a third trace", span.GetName())
		for _, hidden := range []string{started.URL, s.sim.Sessions()[0].Token, apiKey, secret, signup.URL} {
			assert.NotContains(t, span.String(), hidden, span.GetName())
		}
	}
}

// The webhook is a trace of its own. Each leads to the other.
func assertWebhooksAreLinked(t *testing.T, traces *otlp, id []byte) {
	t.Helper()
	handled := traces.named("HandleSignal:didit-event")[0]
	assert.NotEqual(t, id, handled.GetTraceId())
	assert.Equal(t, id, handled.GetLinks()[0].GetTraceId(), "from the webhook to the verification")
	assert.True(t, slices.ContainsFunc(traces.named("Signal:didit-event"), func(met *trace.Span) bool {
		return string(met.GetLinks()[0].GetTraceId()) == string(handled.GetTraceId())
	}), "from the verification to the webhook")
	webhooks := traces.named("POST /webhooks/didit")
	require.NotEmpty(t, webhooks)
	assert.True(t, slices.ContainsFunc(webhooks, func(w *trace.Span) bool { return string(w.GetTraceId()) == string(handled.GetTraceId()) }))
	t.Logf("%s POST /webhooks/didit, SignalWorkflow, HandleSignal: linked", hex.EncodeToString(handled.GetTraceId()))
}

// The account may be shared: what another system calls its users is not ours to disclose.
func TestAForeignWebhookLeavesNoIDInATrace(t *testing.T) {
	skip.Long(t)
	traces := receiveTraces(t)
	s := start(t, options{observe: config.Telemetry{Tracing: true}})
	body := foreignEvent("jane.doe")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.webhookURL, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set(didit.HeaderSignature, didit.Sign(secret, []byte(body)))
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.True(t, s.logs.contain("didit webhook", "result=foreign"))
	s.eventually(func() bool { return len(traces.named("POST /webhooks/didit")) > 0 }, "its span")
	require.Empty(t, traces.named("SignalWorkflow:didit-event"), "it is not signalled")
	traces.mu.Lock()
	defer traces.mu.Unlock()
	for _, span := range traces.spans {
		assert.NotContains(t, span.String(), "jane.doe", span.GetName())
	}
}

func foreignEvent(vendorData string) string {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	return `{"event_id":"` + uuid.NewString() + `","webhook_type":"status.updated","environment":"live","session_id":"` + uuid.NewString() +
		`","status":"Approved","vendor_data":"` + vendorData + `","created_at":` + now + `,"timestamp":` + now + `}`
}

// Switching traces off leaves nothing in a history.
func TestWithoutTracingHistoryHoldsNoTrace(t *testing.T) {
	skip.Long(t)
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
