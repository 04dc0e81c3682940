package metrics

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// Source is where samples come from; ops.Client is one.
type Source interface {
	QueueStats(ctx context.Context, queue string) (ops.QueueStats, error)
	CountOpen(ctx context.Context, attribute, value string, age time.Duration) (int64, error)
}

// Sampling intervals. Every worker samples, so that none has to be elected; a query takes the largest value.
const (
	queuesEvery = 15 * time.Second
	openEvery   = 30 * time.Second
	// pace is the time between two counts: a namespace may query its visibility store about ten times a second, and the lists
	// of operators share that.
	pace = 400 * time.Millisecond
)

// ages are those by which waiting verifications are counted: 0 counts all of them.
var ages = []time.Duration{0, 24 * time.Hour, 72 * time.Hour}

// Sample samples the queues and the open verifications until ctx ends.
func (m *Metrics) Sample(ctx context.Context, from Source, log *slog.Logger) {
	m.registry.MustRegister(m.queues.open, m.queues.waiting)
	go m.every(ctx, openEvery, log, func(ctx context.Context) error { return m.queues.sampleOpen(ctx, from) })
	m.SamplePollers(ctx, from, log)
}

// SamplePollers samples the queues until ctx ends: the webhook still runs when the last worker is gone, and reports that no
// worker polls.
func (m *Metrics) SamplePollers(ctx context.Context, from Source, log *slog.Logger) {
	m.registry.MustRegister(m.queues.errors)
	for _, g := range m.queues.ofQueues() {
		m.registry.MustRegister(g)
	}
	go m.every(ctx, queuesEvery, log, func(ctx context.Context) error {
		return m.queues.sampleQueues(ctx, from, append(ops.LimitedQueues(), kyc.TaskQueue))
	})
}

// every samples at once and then at intervals. It logs a failure once, until a sample succeeds.
func (m *Metrics) every(ctx context.Context, interval time.Duration, log *slog.Logger, sample func(context.Context) error) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	failing := false
	for {
		bounded, cancel := context.WithTimeout(ctx, interval)
		err := sample(bounded)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			m.queues.errors.Inc()
		}
		if err != nil && !failing {
			log.Warn("metrics are incomplete: Temporal does not answer", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// samples are gauges. After a failed sample a gauge is absent, not old.
type samples struct {
	backlog, oldest, eta, limit, dispatched, paused, byOperator, pollers *prometheus.GaugeVec
	open, waiting                                                        *prometheus.GaugeVec
	errors                                                               prometheus.Counter
}

func newSamples() samples {
	gauge := func(name string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts(about(name)), labels)
	}
	return samples{
		backlog: gauge(nameBacklog, "queue", "turn"), oldest: gauge(nameOldest, "queue"), eta: gauge(nameETA, "queue", "turn"),
		limit: gauge(nameLimit, "queue"), dispatched: gauge(nameDispatched, "queue"), paused: gauge(namePaused, "queue"),
		byOperator: gauge(nameByOperator, "queue"), pollers: gauge(namePollers, "queue"),
		open: gauge(nameOpen, "status"), waiting: gauge(nameWaiting, "for", "older_than"),
		errors: prometheus.NewCounter(prometheus.CounterOpts(about(nameSampleErrors))),
	}
}

func (s *samples) ofQueues() []*prometheus.GaugeVec {
	return []*prometheus.GaugeVec{s.backlog, s.oldest, s.eta, s.limit, s.dispatched, s.paused, s.byOperator, s.pollers}
}

func (s *samples) sampleQueues(ctx context.Context, from Source, queues []string) error {
	for _, queue := range queues {
		q, err := from.QueueStats(ctx, queue)
		for _, g := range s.ofQueues() {
			g.DeletePartialMatch(prometheus.Labels{"queue": queue})
		}
		if err != nil {
			return err
		}
		s.setQueue(queue, q)
	}
	return nil
}

func (s *samples) setQueue(queue string, q ops.QueueStats) {
	for _, priority := range []string{"interactive", "bulk", "look", "other"} {
		s.backlog.WithLabelValues(queue, priority).Set(0)
	}
	for key, n := range q.Backlog {
		s.backlog.WithLabelValues(queue, priorityName(key)).Add(float64(n))
	}
	s.oldest.WithLabelValues(queue).Set(q.Oldest.Seconds())
	s.dispatched.WithLabelValues(queue).Set(q.Dispatched)
	s.pollers.WithLabelValues(queue).Set(float64(q.Pollers))
	if queue == kyc.TaskQueue {
		return // nothing limits it
	}
	s.paused.WithLabelValues(queue).Set(oneIf(q.Limit.Paused()))
	s.byOperator.WithLabelValues(queue).Set(oneIf(q.Limit.ByOperator()))
	if q.Limit.Source != ops.LimitNone {
		s.limit.WithLabelValues(queue).Set(q.Limit.PerSecond)
	}
	for _, key := range []int{kyc.PriorityKeyInteractive, kyc.PriorityKeyBulk} {
		position := q.Position(key)
		if eta, known := position.ETA(position.At); known {
			s.eta.WithLabelValues(queue, priorityName(key)).Set(eta.Seconds())
		}
	}
}

var priorityNames = map[int]string{kyc.PriorityKeyInteractive: "interactive", kyc.PriorityKeyBulk: "bulk", kyc.PriorityKeyPoll: "look"}

func priorityName(key int) string { return cmp.Or(priorityNames[key], "other") }

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (s *samples) sampleOpen(ctx context.Context, from Source) error {
	for _, status := range didit.Statuses() {
		n, err := countSlowly(ctx, from, kyc.AttributeStatus, string(status), 0)
		if err != nil {
			s.open.Reset()
			return err
		}
		s.open.WithLabelValues(string(status)).Set(float64(n))
	}
	for _, what := range kyc.WaitingFors() {
		for _, age := range ages {
			n, err := countSlowly(ctx, from, kyc.AttributeWaitingFor, string(what), age)
			if err != nil {
				s.waiting.Reset()
				return err
			}
			s.waiting.WithLabelValues(string(what), strconv.Itoa(int(age.Hours()))+"h").Set(float64(n))
		}
	}
	return nil
}

func countSlowly(ctx context.Context, from Source, attribute, value string, age time.Duration) (int64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(pace):
		return from.CountOpen(ctx, attribute, value, age)
	}
}
