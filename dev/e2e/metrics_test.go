package e2e

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
	"didit-temporal/kyc"
)

// scrape asks a process for its metrics.
func (s *system) scrape(process string) string {
	s.t.Helper()
	res, err := http.Get("http://" + s.metrics[process] + metrics.Path)
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, res.StatusCode, string(body))
	return string(body)
}

func (s *system) shows(process string, lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		s.eventually(func() bool { return regexp.MustCompile("(?m)^" + line + "$").MatchString(s.scrape(process)) }, process+": "+line)
	}
}

func TestMetricsShowVerifications(t *testing.T) {
	t.Parallel()
	s := start(t, options{observe: config.Telemetry{MetricsAddr: "127.0.0.1:0"}})

	started := s.begin("watched-1")
	s.press(started.Session.URL, "review")
	s.status("watched-1", didit.StatusInReview)
	s.shows("worker", `kyc_open_verifications\{status="In Review"\} 1`, `kyc_waiting_verifications\{for="review",older_than="0h"\} 1`,
		`kyc_reviews_total\{.*\} 1`)
	require.NoError(t, s.sim.SetStatus(started.Session.SessionID, didit.StatusApproved))
	require.Equal(t, kyc.OutcomeApproved, s.result("watched-1").Outcome)

	s.shows("worker",
		`kyc_outcomes_total\{.*outcome="approved",reviewed="yes".*\} 1`,
		`kyc_time_to_outcome_seconds_count\{.*outcome="approved".*\} 1`,
		`kyc_review_time_seconds_count\{.*\} 1`,
		`kyc_didit_calls_total\{code="201",operation="POST session",scope="write"\} 1`,
		`kyc_didit_calls_total\{code="200",operation="GET session/\*/decision",scope="read"\} 2`,
		`kyc_queue_limit_per_second\{queue="didit-write"\} 96.*`,
		`kyc_queue_paused\{queue="didit-write"\} 0`,
		`kyc_queue_eta_seconds\{queue="didit-write",turn="interactive"\} 0`,
		`temporal_workflow_completed_total\{.*workflow_type="Verification".*\} 1`,
	)
	s.shows("webhook", `kyc_webhook_deliveries_total\{code="200",result="received"\} [1-9]`, `kyc_webhook_ack_seconds_count\{code="200"\} [1-9]`,
		`kyc_queue_pollers\{queue="kyc"\} [1-9].*`)

	res, err := http.Post(s.webhookURL, "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	s.shows("webhook", `kyc_webhook_deliveries_total\{code="400",result="unsigned"\} 1`)

	for _, process := range []string{"worker", "webhook"} {
		page := s.scrape(process)
		for _, hidden := range []string{"watched-1", started.Session.SessionID, started.Session.SessionToken, apiKey, secret} {
			assert.NotContains(t, page, hidden, process)
		}
		assert.Less(t, strings.Count(page, "\n"), 3000, "%s: labels have too many values", process)
	}
}

// The webhook of a verdict is lost, and the poll that finds it is counted; so is a result that is refused. Each counts in
// the series that was there before, or the first of them would have no rate.
func TestALostWebhookAndALostResultAreCounted(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	signup := newSignup(t, down)
	s := start(t, options{observe: config.Telemetry{MetricsAddr: "127.0.0.1:0"}, reconcileAfter: time.Second, resultURL: signup.URL})
	looks, failures := `kyc_reconcile_looks_total\{.*found="yes".*\}`, `temporal_activity_execution_failed_total\{activity_type="SendResult".*\}`
	s.shows("worker", looks+" 0", failures+" 0", `kyc_reviews_total\{.*\} 0`)
	s.sim.SetWebhook("http://127.0.0.1:1/", secret)
	started := s.begin("unheard")
	s.press(started.Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("unheard").Outcome)
	s.shows("worker", looks+" 1", failures+" [1-9]")
	for _, series := range []string{looks, failures} {
		assert.Len(t, regexp.MustCompile("(?m)^"+series).FindAllString(s.scrape("worker"), -1), 1)
	}
}
