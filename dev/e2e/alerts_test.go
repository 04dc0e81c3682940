package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/port"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

var alerts = flag.Bool("alerts", false, "make each alert's condition true under a real Prometheus, and see it fire and clear (make alerts)")

// prometheus runs the rules with their waits and windows shortened, on the system's metrics.
func (s *system) prometheus() (firing func(alert string) bool) {
	s.t.Helper()
	rules, err := os.ReadFile("../../deploy/prometheus/rules.yml")
	require.NoError(s.t, err)
	short := regexp.MustCompile(`for: \d+m`).ReplaceAllString(string(rules), "for: 1s")
	short = regexp.MustCompile(`\[\d+[mh]\]`).ReplaceAllString(short, "[10s]")
	short = strings.ReplaceAll(short, "offset 10m", "offset 10s")
	dir := s.t.TempDir()
	write := func(name, text string) {
		require.NoError(s.t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("rules.yml", short)
	write("prometheus.yml", `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - { job_name: kyc-worker, static_configs: [{ targets: ["`+s.metrics["worker"]+`"] }] }
  - { job_name: kyc-webhook, static_configs: [{ targets: ["`+s.metrics["webhook"]+`"] }] }
`)
	n, err := port.Pick("127.0.0.1", 0)
	require.NoError(s.t, err)
	address := "127.0.0.1:" + itoa(n)
	cmd := exec.CommandContext(s.t.Context(), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	cmd.Stderr, cmd.Cancel, cmd.WaitDelay = os.Stderr, func() error { return cmd.Process.Signal(os.Interrupt) }, 10*time.Second
	require.NoError(s.t, cmd.Start())
	s.t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended
	s.eventually(func() bool {             // what happens before the first look is no increase
		res, err := http.Get("http://" + address + "/api/v1/query?query=sum(min_over_time(up[3s]))")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(body), `"2"]`)
	}, "Prometheus has looked at both")
	return func(alert string) bool {
		res, err := http.Get("http://" + address + "/api/v1/alerts")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		var answer struct {
			Data struct {
				Alerts []struct {
					State  string
					Labels map[string]string
				}
			}
		}
		if json.NewDecoder(res.Body).Decode(&answer) != nil {
			return false
		}
		for _, a := range answer.Data.Alerts {
			if a.Labels["alertname"] == alert && a.State == "firing" {
				return true
			}
		}
		return false
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// fail makes the next calls to Didit fail.
func (s *system) fail(method, prefix string, status, times int) {
	s.sim.FailNext(method, prefix, diditsim.Fault{Status: status, Times: times})
}

// post sends webhooks until the context ends.
func (s *system) post(ctx context.Context, header http.Header) {
	go func() {
		for ctx.Err() == nil {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.webhookURL, strings.NewReader("{}"))
			if err != nil {
				return
			}
			req.Header = header
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
}

func TestAlertsFireAndClear(t *testing.T) {
	if !*alerts {
		t.Skip("make alerts")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("prometheus is missing (apt-get install prometheus): alerts NOT fired")
	}
	s := start(t, options{observe: config.Observe{MetricsAddr: "127.0.0.1:0"}, reconcileAfter: time.Second})
	firing := s.prometheus()
	n := 0
	users := func(count int) {
		for range count {
			n++
			go func(user string) { _, _ = s.Start(s.t.Context(), kyc.Input{UserID: user}) }("alert-" + itoa(n))
		}
	}
	for _, tc := range []struct {
		alert string
		begin func()
		end   func()
	}{
		{"KycDiditRefuses", func() { s.fail(http.MethodPost, "/v3/session", http.StatusUnauthorized, 10); users(10) }, func() {}},
		{"KycDiditFails", func() { s.fail(http.MethodPost, "/v3/session", http.StatusServiceUnavailable, 12); users(12) }, s.sim.ClearFaults},
		{"KycQueuePaused", func() { s.limit(kyc.TaskQueueDiditWrite, 0) },
			func() { s.limit(kyc.TaskQueueDiditWrite, 0.05) }},
		{"KycUsersWaitLong", func() { users(20) }, func() { s.limit(kyc.TaskQueueDiditWrite, 100) }},
		{"KycWebhooksLost", func() {
			s.sim.SetWebhook("http://127.0.0.1:1/", secret)
			before := len(s.sim.Sessions())
			users(15)
			s.eventually(func() bool { return len(s.sim.Sessions()) >= before+15 }, "sessions")
			for _, x := range s.sim.Sessions() {
				_ = s.sim.SetStatus(x.ID, didit.StatusInProgress)
			}
		}, func() { s.sim.SetWebhook(s.webhookURL, secret) }},
	} {
		tc.begin()
		began := time.Now()
		s.eventually(func() bool { return firing(tc.alert) }, tc.alert+" fires")
		fired := time.Since(began)
		tc.end()
		s.eventually(func() bool { return !firing(tc.alert) }, tc.alert+" clears")
		t.Logf("%-20s fired after %v, was over after %v", tc.alert, fired.Round(time.Second), (time.Since(began) - fired).Round(time.Second))
	}

	ctx, stop := context.WithCancel(t.Context())
	s.post(ctx, http.Header{didit.HeaderSignature: {didit.Sign("another", []byte("{}"))}})
	s.eventually(func() bool { return firing("KycSignaturesFail") }, "KycSignaturesFail fires")
	stop()
	s.eventually(func() bool { return !firing("KycSignaturesFail") }, "KycSignaturesFail clears")
	t.Log("KycSignaturesFail fired and was over")
}
