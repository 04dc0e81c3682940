package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
)

const (
	rulesFile = "../../deploy/prometheus/rules.yml"
	boardFile = "../../deploy/grafana/board.json"
	jobLater  = "three-days-later"
)

// prom is a Prometheus that looks every second.
type prom struct {
	t     *testing.T
	url   string
	began time.Time
}

// shortRules are the real ones with their waits and windows shortened, so that a test has the time. Samples are taken
// every 15 s at the earliest (internal/metrics), so what counts four of them needs a minute.
func shortRules(t *testing.T) string {
	t.Helper()
	rules, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	short := strings.ReplaceAll(string(rules), "increase(kyc_sample_errors_total[10m])", "increase(kyc_sample_errors_total[60s])")
	short = regexp.MustCompile(`for: \d+m`).ReplaceAllString(short, "for: 1s")
	short = regexp.MustCompile(`\[\d+[mh]\]`).ReplaceAllString(short, "[10s]")
	return strings.ReplaceAll(short, "offset 10m", "offset 10s")
}

// startPrometheus runs the rules on targets, which are addresses by job, and returns when it has looked at all.
func startPrometheus(t *testing.T, targets map[string]string) *prom {
	t.Helper()
	dir := t.TempDir()
	config := "global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [rules.yml]\nscrape_configs:\n"
	for job, address := range targets {
		keep := "" // of what stands in for a time that no test has, only the gauges of that time
		if job == jobLater {
			keep = ", metric_relabel_configs: [{ source_labels: [__name__], regex: kyc_waiting_verifications, action: keep }]"
		}
		config += fmt.Sprintf("  - { job_name: %s, static_configs: [{ targets: [%q] }]%s }\n", job, address, keep)
	}
	for name, text := range map[string]string{"rules.yml": shortRules(t), "prometheus.yml": config} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	address := harness.Address(t)
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	cmd.Stderr, cmd.Cancel, cmd.WaitDelay = os.Stderr, func() error { return cmd.Process.Signal(os.Interrupt) }, 10*time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // its context has ended
	p := &prom{t: t, url: "http://" + address, began: time.Now()}
	require.Eventually(t, func() bool { // what happens before the first look is no increase
		up := p.query("sum(min_over_time(up[3s]))")
		return len(up) == 1 && up[0].Values[0][1] == strconv.Itoa(len(targets))
	}, timeout, 250*time.Millisecond, "Prometheus has looked at all")
	return p
}

// get asks Prometheus's API; an answer that cannot be had leaves out as it is.
func (p *prom) get(path string, out any) {
	res, err := http.Get(p.url + path)
	if err != nil {
		return
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&out)
}

// series is one line of a panel.
type series struct {
	Metric map[string]string
	Values [][2]any // time and value, which is a text
}

// query evaluates an expression now.
func (p *prom) query(expr string) []series {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	p.get("/api/v1/query?query="+url.QueryEscape(expr), &answer)
	var out []series
	for _, r := range answer.Data.Result {
		out = append(out, series{r.Metric, [][2]any{r.Value}})
	}
	return out
}

// shows reports whether an expression has had a value at any time since Prometheus began, as a panel would draw it.
func (p *prom) shows(expr string) bool {
	var answer struct{ Data struct{ Result []series } }
	p.get(fmt.Sprintf("/api/v1/query_range?query=%s&start=%d&end=%d&step=2", url.QueryEscape(expr), p.began.Unix(), time.Now().Unix()), &answer)
	return slices.ContainsFunc(answer.Data.Result, func(s series) bool {
		return slices.ContainsFunc(s.Values, func(v [2]any) bool { return v[1] != "NaN" })
	})
}

// fired is an alert that fires.
type fired struct {
	State       string
	Labels      map[string]string
	Annotations map[string]string
}

// firing finds an alert that fires; nil if it does not.
func (p *prom) firing(alert string) *fired {
	var answer struct{ Data struct{ Alerts []fired } }
	p.get("/api/v1/alerts", &answer)
	for _, a := range answer.Data.Alerts {
		if a.Labels["alertname"] == alert && a.State == "firing" {
			return &a
		}
	}
	return nil
}

// board is what of Grafana's board a test asks about.
func board(t *testing.T) (panels []struct {
	Title   string
	Targets []struct{ Expr string }
}) {
	t.Helper()
	text, err := os.ReadFile(boardFile)
	require.NoError(t, err)
	out := struct{ Panels any }{&panels}
	require.NoError(t, json.Unmarshal(text, &out))
	return panels
}
