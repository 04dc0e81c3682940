// Package metrics counts what operators need and serves it to Prometheus. Labels have few values, all of them known here or
// to Temporal's SDK; no user, session or event id is ever one.
package metrics

import (
	"context"
	"maps"
	"net/http"
	"strconv"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/version"
	"didit-temporal/webhook/receiver"
)

// Path is where Prometheus scrapes.
const Path = "/metrics"

// Metrics are those of one process.
type Metrics struct {
	registry *prometheus.Registry
	sdk      *series

	deliveries *prometheus.CounterVec
	acks       *prometheus.HistogramVec
	repeats    prometheus.Counter
	misrouted  *prometheus.CounterVec
	recent     *lru.Cache[string, struct{}] // the last events

	calls     *prometheus.CounterVec
	callTimes *prometheus.HistogramVec

	requests *prometheus.HistogramVec
	guesses  *prometheus.CounterVec

	queues samples
}

// New makes the metrics of a process.
func New() *Metrics {
	recent, _ := lru.New[string, struct{}](remembered) // it fails for a size below one
	m := &Metrics{
		recent:     recent,
		registry:   prometheus.NewRegistry(),
		sdk:        &series{},
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts(about(nameDeliveries)), []string{"result", "code"}),
		acks:       histogram(nameAcks, quick, "code"),
		repeats:    prometheus.NewCounter(prometheus.CounterOpts(about(nameRepeats))),
		misrouted:  prometheus.NewCounterVec(prometheus.CounterOpts(about(nameMisrouted)), []string{"reason"}),
		calls:      prometheus.NewCounterVec(prometheus.CounterOpts(about(nameCalls)), []string{"scope", "operation", "code"}),
		callTimes:  histogram(nameCallTimes, quick, "scope", "operation"),
		requests:   histogram(nameRequests, quick, "method", "route", "code"),
		guesses:    prometheus.NewCounterVec(prometheus.CounterOpts(about(nameGuesses)), []string{"slowed"}),
		queues:     newSamples(),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.sdk)
	return m
}

// Handler is for Path.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// SDK is for client.Options: Temporal's SDK, workflows and activities count through it.
func (m *Metrics) SDK() client.MetricsHandler { return handler{series: m.sdk} }

// OfWebhook adds the metrics of the webhook. Each result exists from the start: a counter that appears with its first event
// has no rate.
func (m *Metrics) OfWebhook() {
	m.registry.MustRegister(m.deliveries, m.acks, m.repeats, m.misrouted)
	for _, r := range receiver.Results() {
		m.deliveries.WithLabelValues(string(r), code(r.Code()))
	}
	for _, why := range receiver.Strays() {
		m.misrouted.WithLabelValues(string(why))
	}
}

// OfCodec adds the metrics of the codec server.
func (m *Metrics) OfCodec() {
	m.registry.MustRegister(m.guesses)
	m.guesses.WithLabelValues("yes")
	m.guesses.WithLabelValues("no")
}

// Guessed counts one wrong token.
func (m *Metrics) Guessed(slowed bool) {
	m.guesses.WithLabelValues(map[bool]string{true: "yes", false: "no"}[slowed]).Inc()
}

// OfWorker adds the metrics of the worker. The failures that alert rules use exist from the start, too.
func (m *Metrics) OfWorker(namespace string) {
	m.registry.MustRegister(m.calls, m.callTimes)
	for _, c := range []string{"401", "402", "403", "404", "429", "500", "502", "503", noAnswer} {
		m.calls.WithLabelValues("write", "POST session", c)
		m.calls.WithLabelValues("read", "GET session/*/decision", c)
	}
	m.sdk.begin(namespace)
}

// Webhook counts one delivery.
func (m *Metrics) Webhook(_ context.Context, o receiver.Observation) {
	m.deliveries.WithLabelValues(string(o.Result), code(o.Code)).Inc()
	if o.Verified {
		m.acks.WithLabelValues(code(o.Code)).Observe(o.Took.Seconds())
	}
	if o.EventID == "" {
		return
	}
	if repeated, _ := m.recent.ContainsOrAdd(o.EventID, struct{}{}); repeated {
		m.repeats.Inc()
	}
}

// Misrouted counts one request that was no webhook.
func (m *Metrics) Misrouted(why receiver.Stray) { m.misrouted.WithLabelValues(string(why)).Inc() }

func code(status int) string { return strconv.Itoa(status) }

// remembered is how many events a process remembers to count repeats: some minutes of a busy day, which is how long Didit
// repeats one. No decision depends on it.
const remembered = 8192

// Publish adds the build and the settings of the process, as the labels of two gauges of the value 1.
func (m *Metrics) Publish(settings map[string]string) {
	build := version.Get()
	settings = maps.Clone(settings)
	settings["version"] = build.Version
	if build.Revision != version.Unknown {
		settings["version"] = build.Revision
	}
	m.registry.MustRegister(constant(nameBuild, map[string]string{"version": build.Version, "revision": build.Revision, "go": build.Go}),
		constant(nameSettings, settings))
}

func constant(name string, labels map[string]string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help[name], ConstLabels: labels}, func() float64 { return 1 })
}
