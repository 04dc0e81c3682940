package stack

import (
	"slices"

	"didit-temporal/internal/config"
)

// Real is the settings of the processes for the real Didit. Without webhook secrets there is no webhook, and the
// worker polls Didit.
type Real struct {
	Worker  config.Worker
	Webhook config.Webhook
}

// Hears reports whether webhooks are taken.
func (r *Real) Hears() bool { return len(r.Webhook.Secrets) > 0 }

// only keeps the parts that have a place beside the real Didit. A part of the future is not one by itself: what is harmless
// beside the simulator, such as a public token, may spend money here.
func (r *Real) only(parts []part) []part {
	return slices.DeleteFunc(parts, func(p part) bool {
		return p.name != "temporal" && p.name != "worker" && (p.name != "webhook" || !r.Hears())
	})
}

// SimulatorFlows are the ids of flows that only simulators know: ours, and that of .env.example.
func SimulatorFlows() []string {
	return []string{simulatorFlow, "11111111-2222-4333-8444-555555555555"}
}
