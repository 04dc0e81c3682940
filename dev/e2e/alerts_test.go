package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/port"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

var (
	alerts    = flag.Bool("alerts", false, "plant each alert's fault under a real Prometheus, and see it fire and clear (make alerts)")
	onlyAlert = flag.String("alert", "", "only the faults of the alerts that match this expression, and not the board")
)

// alertPatience is for what is sampled every 30 s, slowly, on a busy machine.
const alertPatience = 4 * time.Minute

// TestEachAlertHasAFault needs no Prometheus, so that an alert that was never seen to fire fails wherever tests run.
func TestEachAlertHasAFault(t *testing.T) {
	rules, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1) {
		want = append(want, m[1])
	}
	require.NotEmpty(t, want)
	for _, f := range faults {
		if len(got) == 0 || got[len(got)-1] != f.alert { // one alert may have several
			got = append(got, f.alert)
		}
	}
	assert.ElementsMatch(t, want, got, "make alerts plants a fault for each alert of rules.yml, in alert_faults_test.go")
}

// watched is the whole system with a Prometheus beside it.
type watched struct {
	*served
	prom   *prom
	signup *signup
	codec  string // the codec server's URL
	n      atomic.Int64
}

func TestAlertsFireAndClear(t *testing.T) {
	if !*alerts {
		t.Skip("make alerts")
	}
	skip.Program(t, "prometheus", "prometheus")
	w := watch(t)
	w.liveADay()
	w.strangersWakeNobody()
	for _, f := range faults {
		if f.alert == "KycWebhooksMisrouted" && !w.prom.shows("kyc_webhook_misrouted_total") {
			t.Log("KycWebhooksMisrouted is NOT fired: the webhook does not count what misses its route")
			continue
		}
		if regexp.MustCompile(*onlyAlert).MatchString(f.alert) {
			w.see(f)
		}
	}
	if *onlyAlert != "" {
		return
	}
	for _, panel := range board(t) {
		for _, target := range panel.Targets {
			if strings.Contains(target.Expr, "kyc_sweep_late_seconds") {
				continue // an hour of lost webhooks: TestASweepFindsWhatNoWebhookBrought
			}
			assert.True(t, w.prom.shows(target.Expr), "the panel %q shows nothing: %s", panel.Title, target.Expr)
		}
	}
}

// see plants a fault and mends it, and expects the alert to follow.
func (w *watched) see(f fault) {
	name := strings.TrimSuffix(f.alert+", "+f.what, ", ")
	wait := func(fires bool, what string) (alert *fired, took time.Duration) {
		began := time.Now()
		assert.Eventually(w.t, func() bool {
			alert = w.prom.firing(f.alert)
			return (alert != nil) == fires
		}, alertPatience, 250*time.Millisecond, name+" "+what)
		return alert, time.Since(began)
	}
	wait(false, "is quiet before")
	fix := f.plant(w)
	alert, fires := wait(true, "fires")
	fix()
	_, clears := wait(false, "clears")
	if alert == nil {
		return
	}
	w.t.Logf("%-38s fired after %3.0f s, was over after %3.0f s: %s", name, fires.Seconds(), clears.Seconds(), alert.Annotations["summary"])
	assert.Equal(w.t, "docs/operations/runbook.md#"+strings.ToLower(f.alert), alert.Annotations["runbook_url"])
	assert.NotContains(w.t, alert.Annotations["summary"], "<", "a template that failed")
}

// watch starts everything, and Prometheus on it.
func watch(t *testing.T) *watched {
	t.Helper()
	signup := newSignup(t, nil)
	s := start(t, options{
		observe: config.Telemetry{MetricsAddr: "127.0.0.1:0"}, reconcileAfter: time.Second, resultURL: signup.URL,
		server: tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")},
	})
	codecMetrics, err := port.Pick("127.0.0.1", 0)
	require.NoError(t, err)
	codecAt := fmt.Sprintf("127.0.0.1:%d", codecMetrics)
	w := &watched{served: serveAPI(s), signup: signup}
	w.codec = codecServer(t, build(t, "starter"), "PAYLOAD_KEYS="+newKey(t, "a"), "CODEC_TOKENS="+codecToken, "CODEC_ORIGINS=http://ui.example", "METRICS_ADDR="+codecAt)
	later := metrics.New()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	later.Sample(ctx, threeDaysLater{w.Client}, s.logger("later"))
	srv := httptest.NewServer(later.Handler())
	t.Cleanup(srv.Close)
	w.prom = startPrometheus(t, map[string]string{
		"kyc-worker": s.metrics["worker"], "kyc-webhook": s.metrics["webhook"], "kyc-api": s.metrics["api"],
		"kyc-codec": codecAt, jobLater: strings.TrimPrefix(srv.URL, "http://"),
	})
	return w
}

// threeDaysLater asks Temporal as a worker's metrics would in three days: no test can wait that long. All else about
// them is real.
type threeDaysLater struct{ *ops.Client }

func (l threeDaysLater) CountOpen(ctx context.Context, attribute, value string, age time.Duration) (int64, error) {
	return l.Client.CountOpen(ctx, attribute, value, max(age-72*time.Hour, 0))
}

// liveADay does what happens on any day, so that each panel of the board has something to show.
func (w *watched) liveADay() {
	started := w.post(`{"user_id":"a-day"}`)
	w.t.Cleanup(w.again(func() { // the signup service asks all day
		_, _ = w.call(w.t.Context(), "", `{"user_id":"all-day"}`)
		_, _ = w.call(w.t.Context(), "/all-day", "")
	}))
	w.press(started.URL, "review")
	w.status("a-day", didit.StatusInReview)
	session := w.sim.SessionsOf("a-day")[0].ID
	require.NoError(w.t, w.sim.SetStatus(session, didit.StatusResubmitted))
	w.status("a-day", didit.StatusResubmitted)
	w.press(started.URL, "approve")
	require.Equal(w.t, kyc.OutcomeApproved, w.closed("a-day").Outcome)
	require.NoError(w.t, w.sim.SetStatus(session, didit.StatusDeclined))
	w.eventually(func() bool {
		return w.finds(`WorkflowId = "kyc-a-day" AND KycOutcome = "declined" AND ExecutionStatus = "Completed"`)
	}, "a late update")
}

// fresh is a new user.
func (w *watched) fresh() string { return "user-" + strconv.FormatInt(w.n.Add(1), 10) }

// users start count verifications and do not wait for their sessions.
func (w *watched) users(count int) {
	for range count {
		user := w.fresh()
		go func() { _, _ = w.Start(w.t.Context(), kyc.Input{UserID: user}) }()
	}
}

// again does something every half second until it is stopped.
func (w *watched) again(what func()) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(500 * time.Millisecond); ctx.Err() == nil; {
			what()
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}
