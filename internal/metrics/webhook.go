package metrics

import (
	"context"
	"strconv"

	"didit-temporal/webhook/receiver"
)

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
