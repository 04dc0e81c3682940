package metrics

import (
	"context"
	"strconv"
	"sync"

	"didit-temporal/webhook/receiver"
)

// Webhook counts one delivery.
func (m *Metrics) Webhook(_ context.Context, o receiver.Observation) {
	m.deliveries.WithLabelValues(string(o.Result), code(o.Code)).Inc()
	if o.Verified {
		m.acks.WithLabelValues(code(o.Code)).Observe(o.Took.Seconds())
	}
	if o.EventID != "" && m.recent.add(o.EventID) {
		m.repeats.Inc()
	}
}

// Misrouted counts one request that was no webhook.
func (m *Metrics) Misrouted(why receiver.Stray) { m.misrouted.WithLabelValues(string(why)).Inc() }

func code(status int) string { return strconv.Itoa(status) }

// remembered is how many events a process remembers to count repeats: some minutes of a busy day, which is how long Didit
// repeats one. No decision depends on it.
const remembered = 8192

// ring remembers the last events.
type ring struct {
	mu   sync.Mutex
	ids  [remembered]string
	next int
	has  map[string]bool
}

// add remembers id, and reports whether it was among the last events.
func (r *ring) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.has[id] {
		return true
	}
	if r.has == nil {
		r.has = make(map[string]bool, remembered)
	}
	delete(r.has, r.ids[r.next])
	r.ids[r.next], r.has[id] = id, true
	r.next = (r.next + 1) % remembered
	return false
}
