package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"didit-temporal/internal/config"
)

const (
	checkRunning  = "settings of running processes"
	checkVersions = "versions of running processes"
	infoMetric    = "kyc_settings_info"
	giveMetrics   = "give --metrics http://HOST:PORT for each process, or --prometheus URL"
)

// running compares the settings of running processes with each other and with the environment here: a process that was
// started before a setting was corrected, or on another machine, keeps the old one.
func (e *checker) running(ctx context.Context) {
	all := e.readPublished(ctx)
	defer e.versions(all)
	for _, p := range all {
		if wrong := e.differs(p); len(wrong) > 0 {
			e.fail(checkRunning, p.Process+" "+strings.Join(wrong, "; "), "give "+p.Process+" the settings that are right, and start it again")
			continue
		}
		e.ok(checkRunning, fmt.Sprintf("%s: %s, namespace %s, as here", p.Process, p.Environment, p.Namespace))
	}
}

// versions warns of a deployment that is unfinished or unintended.
func (e *checker) versions(all []config.Published) {
	of := map[string][]string{}
	for _, p := range all {
		of[p.Version] = append(of[p.Version], p.Process)
	}
	if len(of) < 2 {
		return
	}
	var say []string
	for version, processes := range of {
		say = append(say, fmt.Sprintf("%s: %s", cmp.Or(version, "unknown"), strings.Join(processes, ", ")))
	}
	slices.Sort(say)
	e.warn(checkVersions, strings.Join(say, "; "), "finish the deployment: workers first, then the webhook and the API")
}

// readPublished reads what processes publish, and reports those that publish nothing.
func (e *checker) readPublished(ctx context.Context) []config.Published {
	all, problems := e.collect(ctx)
	slices.SortFunc(all, func(a, b config.Published) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	e.published = slices.Compact(all)
	for _, process := range []string{"worker", "webhook"} {
		missing := e.wants(process) && !slices.ContainsFunc(e.published, func(p config.Published) bool { return p.Process == process })
		switch {
		case missing && e.hasTargets():
			e.fail(checkRunning, fmt.Sprintf("no %s publishes its settings (%s)", process, cmp.Or(strings.Join(problems, "; "), "none is among them")),
				"start it, or correct --metrics and --prometheus")
		case missing:
			e.skip(fmt.Sprintf("no %s publishes its settings on this machine: %s", process, giveMetrics), checkRunning)
		}
	}
	return e.published
}

func (e *checker) hasTargets() bool { return e.Prometheus != "" || len(e.Metrics) > 0 }

func (e *checker) collect(ctx context.Context) (all []config.Published, problems []string) {
	take := func(from string, found []config.Published, err error) {
		all = append(all, found...)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", from, err))
		}
	}
	if e.Prometheus != "" {
		found, err := e.fromPrometheus(ctx)
		take(e.Prometheus, found, err)
	}
	for _, target := range e.metricsTargets() {
		found, err := e.fromProcess(ctx, target)
		take(target, found, err)
	}
	return all, problems
}

// metricsTargets are the given ones, else the default addresses on this machine.
func (e *checker) metricsTargets() []string {
	if e.hasTargets() {
		return e.Metrics
	}
	own := strings.TrimSpace(e.Getenv("METRICS_ADDR"))
	switch {
	case strings.EqualFold(own, config.Off):
		return nil
	case own != "":
		return []string{"http://" + own}
	}
	// Worker, webhook, starter serve.
	return []string{"http://" + config.MetricsAddr(0), "http://" + config.MetricsAddr(1), "http://" + config.MetricsAddr(2)}
}

func (e *checker) fromProcess(ctx context.Context, target string) ([]config.Published, error) {
	a, err := e.read(ctx, strings.TrimSuffix(strings.TrimSuffix(target, "/"), "/metrics")+"/metrics")
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(a.body))
	if err != nil {
		return nil, fmt.Errorf("no metrics: %w", err)
	}
	var out []config.Published
	for _, m := range families[infoMetric].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		out = append(out, config.PublishedFrom(labels))
	}
	return out, nil
}

func (e *checker) fromPrometheus(ctx context.Context) ([]config.Published, error) {
	a, err := e.read(ctx, strings.TrimSuffix(e.Prometheus, "/")+"/api/v1/query?query="+url.QueryEscape(infoMetric))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.Unmarshal(a.body, &answer); err != nil {
		return nil, fmt.Errorf("not the answer of a Prometheus: %w", err)
	}
	var out []config.Published
	for _, r := range answer.Data.Result {
		out = append(out, config.PublishedFrom(r.Metric))
	}
	return out, nil
}

func (e *checker) read(ctx context.Context, target string) (answer, error) {
	a, err := e.callFor(ctx, callTimeout, maxMetrics, http.MethodGet, target, nil, nil)
	if err == nil && a.code != http.StatusOK {
		err = fmt.Errorf("status %d", a.code)
	}
	return a, err
}

// differs lists the settings of a process that differ from the environment here.
func (e *checker) differs(p config.Published) (wrong []string) {
	want, known := e.expected(p.Process)
	if !known {
		return nil
	}
	say := func(what, has, here string) {
		if here != "" && has != here {
			wrong = append(wrong, fmt.Sprintf("has %s %s, here it is %s", what, cmp.Or(has, "(none)"), here))
		}
	}
	say("TEMPORAL_NAMESPACE", p.Namespace, e.namespaceHere)
	say("DIDIT_ENVIRONMENT", p.Environment, want.Environment)
	say("KYC_DEPLOYMENT", p.Deployment, want.Deployment)
	say("DIDIT_WORKFLOW_ID", p.WorkflowID, want.WorkflowID)
	say("DIDIT_BASE_URL", p.Didit, want.Didit)
	say("a DIDIT_API_KEY with the fingerprint", p.APIKey, want.APIKey)
	if first, _, _ := strings.Cut(want.WebhookSecrets, " "); first != "" && !slices.Contains(strings.Fields(p.WebhookSecrets), first) {
		wrong = append(wrong, "does not have the first of the DIDIT_WEBHOOK_SECRETS here (fingerprint "+first+")")
	}
	if key := e.encryptsWith(); p.Process != "webhook" && key != "" && !slices.Contains(strings.Fields(p.PayloadKeys), key) {
		wrong = append(wrong, "lacks the payload key "+key+", with which the worker encrypts: it can read nothing that is stored")
	}
	if p.Results != want.Results && p.Process == "worker" {
		wrong = append(wrong, "has another RESULT_URL than is set here")
	}
	return wrong
}

// expected is what a process with the environment here would publish.
func (e *checker) expected(process string) (config.Published, bool) {
	switch {
	case process == "worker" && e.wants("worker"):
		return e.worker.Published(e.namespaceHere), true
	case process == "webhook" && e.wants("webhook"):
		return e.hook.Published(e.namespaceHere), true
	case process == "starter":
		return config.Published{Environment: cmp.Or(string(e.worker.Environment), string(e.hook.Environment))}, true
	}
	return config.Published{}, false
}

// encryptsWith is the key of the running workers, else of the worker's settings here.
func (e *checker) encryptsWith() string {
	worker := e.worker.Published("")
	if i := slices.IndexFunc(e.published, func(p config.Published) bool { return p.Process == "worker" }); i >= 0 {
		worker = e.published[i]
	}
	first, _, _ := strings.Cut(worker.PayloadKeys, " ")
	return first
}
