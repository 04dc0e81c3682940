package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
	"didit-temporal/internal/tracing"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// A second process on the machine has no metrics, and works.
func TestATakenMetricsPortStopsNothing(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	var log bytes.Buffer
	o, err := StartTelemetry(t.Context(), config.Telemetry{MetricsAddr: taken.Addr().String()}, "worker", slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	defer o.Close()
	assert.Empty(t, o.Address)
	assert.Contains(t, log.String(), "METRICS_ADDR")
}

func TestMetricsAreServedUntilClose(t *testing.T) {
	o, err := StartTelemetry(t.Context(), config.Telemetry{MetricsAddr: "127.0.0.1:0"}, "worker", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	res, err := http.Get("http://" + o.Address + metrics.Path)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Contains(t, string(body), "go_goroutines")
	o.Close()
	_, err = http.Get("http://" + o.Address + metrics.Path)
	assert.Error(t, err)
}

func TestRoutesHaveNoIDs(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/verifications": "/v1/verifications", "/v1/verifications/u-1": "/v1/verifications/{user_id}",
		"/v1/verifications/u-1/history": "/v1/verifications/{user_id}/history", "/v1/verifications/u-1/u-2": "/v1/verifications/{user_id}", "/healthz": "", "/": "",
	} {
		assert.Equal(t, want, apiRoute(httptest.NewRequest(http.MethodGet, path, nil)), path)
	}
	assert.Equal(t, receiver.Path, webhookRoute(httptest.NewRequest(http.MethodPost, receiver.Path+"?a=1", nil)))
	assert.Empty(t, webhookRoute(httptest.NewRequest(http.MethodGet, "/healthz", nil)))
}

type noDeliverer struct{}

func (noDeliverer) Deliver(context.Context, string, kyc.DiditEvent, kyc.Origin) (kyc.DeliverResult, error) {
	return kyc.DeliveredSignal, nil
}

// One webhook, without Temporal: what counting and tracing add to it.
func BenchmarkObservedWebhook(b *testing.B) {
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer sink.Close()
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.URL)
	for name, tc := range map[string]struct{ metrics, tracing bool }{
		"neither": {}, "metrics": {metrics: true}, "both": {metrics: true, tracing: true},
	} {
		b.Run(name, func(b *testing.B) {
			o, err := StartTelemetry(b.Context(), config.Telemetry{Tracing: tc.tracing}, "webhook", slog.New(slog.DiscardHandler))
			require.NoError(b, err)
			defer o.Close()
			o.metrics.OfWebhook()
			const secret = "secret-of-the-benchmark"
			verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Tolerance: time.Hour, MaxBody: 1 << 20})
			require.NoError(b, err)
			options := receiver.Options{
				Verifier: verifier, Deliverer: noDeliverer{}, Environment: didit.EnvironmentLive, MaxBody: 1 << 20, Log: o.tracing.Log(slog.New(slog.DiscardHandler)),
			}
			if tc.metrics {
				options.Observe = o.metrics.Webhook
			}
			h := o.tracing.Handler(receiver.New(options).Handler(), tracing.NewTrace, webhookRoute)
			bodies := make([][]byte, 1024)
			for i := range bodies {
				bodies[i] = []byte(`{"event_id":"5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c` + strconv.Itoa(1000+i) + `","webhook_type":"status.updated","environment":"live",` +
					`"session_id":"11111111-2222-4333-8444-555555555555","status":"Approved","vendor_data":"u1","created_at":` +
					strconv.FormatInt(time.Now().Unix(), 10) + `,"timestamp":` + strconv.FormatInt(time.Now().Unix(), 10) + `}`)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				body := bodies[i%len(bodies)]
				req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
				req.Header.Set(didit.HeaderSignature, didit.Sign(secret, body))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
