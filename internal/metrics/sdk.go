package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"didit-temporal/activities"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// handler is Temporal's interface over Prometheus. Names and units are as Temporal documents them for Prometheus:
// counters end in _total, timers in _seconds. Didit's limits and the verdicts are counted through it as well.
type handler struct {
	series *series
	labels prometheus.Labels
	key    string
}

// WithTags returns a handler with more labels.
func (h handler) WithTags(tags map[string]string) client.MetricsHandler {
	labels := make(prometheus.Labels, len(h.labels)+len(tags))
	maps.Copy(labels, h.labels)
	maps.Copy(labels, tags)
	var key strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		key.WriteString("\x00" + k + "\x00" + labels[k])
	}
	return handler{series: h.series, labels: labels, key: key.String()}
}

// Counter returns the counter of that name.
func (h handler) Counter(name string) client.MetricsCounter {
	c := h.find(withSuffix(name, "_total"), func(o prometheus.Opts) prometheus.Metric { return prometheus.NewCounter(prometheus.CounterOpts(o)) })
	if c, ok := c.(prometheus.Counter); ok {
		return counter{c}
	}
	return client.MetricsNopHandler.Counter(name)
}

// Gauge returns the gauge of that name.
func (h handler) Gauge(name string) client.MetricsGauge {
	g := h.find(name, func(o prometheus.Opts) prometheus.Metric { return prometheus.NewGauge(prometheus.GaugeOpts(o)) })
	if g, ok := g.(prometheus.Gauge); ok {
		return gauge{g}
	}
	return client.MetricsNopHandler.Gauge(name)
}

// Timer returns the timer of that name.
func (h handler) Timer(name string) client.MetricsTimer {
	t := h.find(withSuffix(name, "_seconds"), func(o prometheus.Opts) prometheus.Metric {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: o.Name, Help: o.Help, ConstLabels: o.ConstLabels, Buckets: buckets(name)})
	})
	if t, ok := t.(prometheus.Histogram); ok {
		return timer{t}
	}
	return client.MetricsNopHandler.Timer(name)
}

func withSuffix(name, suffix string) string { return strings.TrimSuffix(name, suffix) + suffix }

type counter struct{ prometheus.Counter }

func (c counter) Inc(n int64) {
	if n > 0 { // less is a panic of the library
		c.Add(float64(n))
	}
}

type gauge struct{ prometheus.Gauge }

func (g gauge) Update(v float64) { g.Set(v) }

type timer struct{ prometheus.Histogram }

func (t timer) Record(d time.Duration) { t.Observe(d.Seconds()) }

// series holds every series that was requested. It is an unchecked collector, because the SDK gives metrics of one name
// different labels.
type series struct {
	all sync.Map // seriesKey to prometheus.Metric
}

type seriesKey struct{ name, labels string }

func (h handler) find(name string, build func(prometheus.Opts) prometheus.Metric) prometheus.Metric {
	key := seriesKey{name, h.key}
	if found, ok := h.series.all.Load(key); ok {
		return found.(prometheus.Metric)
	}
	text := cmp.Or(help[name], "See https://docs.temporal.io/references/sdk-metrics.")
	found, _ := h.series.all.LoadOrStore(key, build(prometheus.Opts{Name: name, Help: text, ConstLabels: h.labels}))
	return found.(prometheus.Metric)
}

// Describe describes nothing: an unchecked collector.
func (s *series) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *series) Collect(out chan<- prometheus.Metric) {
	s.all.Range(func(_, m any) bool {
		out <- m.(prometheus.Metric)
		return true
	})
}

// begin makes the series that alert rules use, so that the first event has a rate. The labels must be those that the
// SDK sets: otherwise the first event makes another series.
func (s *series) begin(namespace string) {
	h := handler{series: s}
	for _, queue := range ops.LimitedQueues() {
		for _, name := range []string{activities.MetricHeldBack, activities.MetricDelayedTasks} {
			h.WithTags(map[string]string{"task_queue": queue}).Counter(name)
		}
	}
	send := h.WithTags(map[string]string{
		"client_name": "temporal_go", "namespace": namespace, "task_queue": kyc.TaskQueue, "worker_type": "none",
		"workflow_type": kyc.WorkflowVerification, "activity_type": "SendResult",
	})
	send.WithTags(map[string]string{"failure_reason": "ActivityError"}).Counter("temporal_activity_execution_failed")
	send.Timer("temporal_activity_execution_latency")
	decides := send.WithTags(map[string]string{"activity_type": "none"})
	for _, found := range []string{"yes", "no"} {
		decides.WithTags(map[string]string{"found": found}).Counter(workflows.MetricPolls)
	}
	for _, name := range []string{workflows.MetricUnusable, workflows.MetricReviews, workflows.MetricReviewsLate, workflows.MetricResubmissions} {
		decides.Counter(name)
	}
	sweeps := decides.WithTags(map[string]string{"workflow_type": kyc.WorkflowSweep})
	for _, state := range []kyc.SweepState{kyc.SweepDone, kyc.SweepPartial, kyc.SweepUnreadable} {
		sweeps.WithTags(map[string]string{"state": string(state)}).Counter(workflows.MetricSweeps)
	}
	for _, result := range []kyc.DeliverResult{kyc.DeliveredSignal, kyc.DeliveredResume} {
		sweeps.WithTags(map[string]string{"result": string(result)}).Counter(workflows.MetricSweepFound)
	}
	sweeps.Timer(workflows.MetricSweepLate)
}
