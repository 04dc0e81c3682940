package metrics_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/metrics"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, metrics.Path, nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

func TestWebhooksAreCountedByWhatBecameOfThem(t *testing.T) {
	m := metrics.New()
	m.OfWebhook()
	assert.Contains(t, scrape(t, m), `kyc_webhook_deliveries_total{code="403",result="bad_signature"} 0`, "a rate needs a beginning")
	for range 2 {
		m.Webhook(t.Context(), receiver.Observation{Result: receiver.Received, Code: 200, EventID: "e1", Took: 30 * time.Millisecond, Verified: true})
	}
	m.Webhook(t.Context(), receiver.Observation{Result: receiver.BadSignature, Code: 403, Took: time.Minute}) // nothing about how fast Didit is answered
	got := scrape(t, m)
	assert.Contains(t, got, `kyc_webhook_deliveries_total{code="200",result="received"} 2`)
	assert.Contains(t, got, `kyc_webhook_deliveries_total{code="403",result="bad_signature"} 1`)
	assert.Contains(t, got, `kyc_webhook_ack_seconds_bucket{code="200",le="0.05"} 2`)
	assert.Contains(t, got, "kyc_webhook_repeats_total 1")
}

// The memory for counting repeats is bounded, whatever is sent.
func TestOldEventsAreDropped(t *testing.T) {
	m := metrics.New()
	m.OfWebhook()
	send := func(id string) {
		m.Webhook(t.Context(), receiver.Observation{Result: receiver.Received, Code: 200, EventID: id})
	}
	send("first")
	for i := range 10_000 {
		send(time.Duration(i).String())
	}
	send("first")
	assert.Contains(t, scrape(t, m), "kyc_webhook_repeats_total 0")
}

type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestCallsToDiditAreCountedWithoutIDs(t *testing.T) {
	m := metrics.New()
	m.OfWorker("default")
	call := func(method, path string, status int) {
		rt := m.Transport(answers(func(*http.Request) (*http.Response, error) {
			if status == 0 {
				return nil, errors.New("hung up")
			}
			return &http.Response{StatusCode: status, Body: http.NoBody}, nil
		}))
		res, err := rt.RoundTrip(httptest.NewRequestWithContext(t.Context(), method, "https://didit.example"+path, nil))
		if err == nil {
			require.NoError(t, res.Body.Close())
		}
	}
	call(http.MethodPost, "/v3/session/", 429)
	call(http.MethodPost, "/prefix/v3/session/", 0)
	call(http.MethodGet, "/v3/session/11111111-2222-4333-8444-555555555555/decision/", 200)
	call(http.MethodGet, "/v3/sessions/?vendor_data=u1", 200)
	call(http.MethodGet, "/v3/a/b/c/d/e/f/", 404)
	got := scrape(t, m)
	for _, want := range []string{
		`kyc_didit_calls_total{code="429",operation="POST session",scope="write"} 1`,
		`kyc_didit_calls_total{code="none",operation="POST session",scope="write"} 1`,
		`kyc_didit_calls_total{code="200",operation="GET session/*/decision",scope="read"} 1`,
		`kyc_didit_calls_total{code="200",operation="GET sessions",scope="read"} 1`,
		`kyc_didit_calls_total{code="404",operation="GET other",scope="read"} 1`,
	} {
		assert.Contains(t, got, want)
	}
	assert.NotContains(t, got, "1111")
	assert.NotContains(t, got, "u1")
}

// The SDK gives one name several sets of labels, which Prometheus's own vectors refuse.
func TestTheSDKMayLabelAsItLikes(t *testing.T) {
	m := metrics.New()
	h := m.SDK()
	h.Counter("temporal_request").Inc(1)
	h.WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(2)
	h.WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(3)
	h.WithTags(map[string]string{"a": "1"}).WithTags(map[string]string{"b": "2"}).Gauge("temporal_num_pollers").Update(7)
	h.WithTags(map[string]string{"b": "2"}).WithTags(map[string]string{"a": "1"}).Gauge("temporal_num_pollers").Update(8)
	h.Timer("temporal_request_latency").Record(40 * time.Millisecond)
	h.WithTags(map[string]string{"outcome": "approved"}).Timer("kyc_time_to_outcome").Record(2 * time.Hour)
	h.Counter("temporal_request").Inc(-1)
	h.Gauge("temporal_request_total").Update(1) // a caller's mistake: dropped, not a crash
	got := scrape(t, m)
	for _, want := range []string{
		"\ntemporal_request_total 1\n", `temporal_request_total{operation="Poll"} 5`, `temporal_num_pollers{a="1",b="2"} 8`,
		`temporal_request_latency_seconds_bucket{le="0.05"} 1`, `kyc_time_to_outcome_seconds_bucket{outcome="approved",le="14400"} 1`,
		`kyc_time_to_outcome_seconds_bucket{outcome="approved",le="3600"} 0`,
	} {
		assert.Contains(t, got, want)
	}
}

// lockedBuilder is a log that several write.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// temporal answers the samples.
type temporal struct {
	mu    sync.Mutex
	queue ops.QueueStats
	open  map[string]int64
	err   error
}

func (s *temporal) QueueStats(context.Context, string) (ops.QueueStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue, s.err
}

func (s *temporal) CountOpen(_ context.Context, _, value string, age time.Duration) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age >= 72*time.Hour {
		return 1, s.err
	}
	return s.open[value], s.err
}

func TestQueuesAndOpenVerificationsAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		src := &temporal{open: map[string]int64{"In Review": 4, "review": 4}, queue: ops.QueueStats{
			Limit:   ops.QueueLimit{Source: ops.LimitFromServer, PerSecond: 5, SetBy: ops.LimitIdentity},
			Backlog: map[int]int{kyc.PriorityKeyInteractive: 10, kyc.PriorityKeyBulk: 90, 3: 1}, Oldest: 20 * time.Second, Pollers: 2,
		}}
		var logs lockedBuilder
		m := metrics.New()
		m.Sample(ctx, src, slog.New(slog.NewTextHandler(&logs, nil)))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		got := scrape(t, m)
		for _, want := range []string{
			`kyc_queue_backlog{queue="didit-write",turn="bulk"} 90`, `kyc_queue_backlog{queue="didit-write",turn="look"} 0`,
			`kyc_queue_eta_seconds{queue="didit-write",turn="interactive"} 2`, `kyc_queue_eta_seconds{queue="didit-write",turn="bulk"} 20.2`,
			`kyc_queue_limit_per_second{queue="didit-read"} 5`, `kyc_queue_paused{queue="didit-write"} 0`, `kyc_queue_pollers{queue="kyc"} 2`,
			`kyc_queue_limit_by_operator{queue="didit-write"} 0`, `kyc_queue_oldest_seconds{queue="didit-write"} 20`,
			`kyc_open_verifications{status="In Review"} 4`, `kyc_waiting_verifications{for="review",older_than="0h"} 4`,
			`kyc_waiting_verifications{for="review",older_than="72h"} 1`,
		} {
			assert.Contains(t, got, want)
		}

		src.mu.Lock()
		src.queue.Limit = ops.QueueLimit{Source: ops.LimitFromServer, SetBy: "an operator"}
		src.mu.Unlock()
		time.Sleep(15 * time.Second)
		synctest.Wait()
		got = scrape(t, m)
		assert.Contains(t, got, `kyc_queue_paused{queue="didit-write"} 1`)
		assert.Contains(t, got, `kyc_queue_limit_by_operator{queue="didit-write"} 1`)
		assert.NotContains(t, got, `kyc_queue_eta_seconds{queue="didit-write"`, "unknown while the queue is paused")

		src.mu.Lock()
		src.err = errors.New("Temporal is down")
		src.mu.Unlock()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		got = scrape(t, m)
		assert.NotContains(t, got, `kyc_queue_backlog{queue="didit-write"`, "an old number is worse than none")
		assert.NotContains(t, got, "kyc_open_verifications{")
		assert.Equal(t, 2, strings.Count(logs.String(), "metrics are incomplete"), "once for each kind of sample")
		stop()
		synctest.Wait()
	})
}

// Every metric that this package names has a text, and the linter of Prometheus's own library has nothing to say.
func TestNamesAreOfPrometheusForm(t *testing.T) {
	for _, name := range metrics.Names() {
		assert.Regexp(t, `^kyc_[a-z_]+$`, name)
	}
	assert.Contains(t, metrics.Names(), "kyc_outcomes_total")
}
