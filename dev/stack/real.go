package stack

import (
	"slices"

	"didit-temporal/internal/config"
)

// Real is the settings of the processes for the real Didit. Without webhook secrets there is no webhook: Didit then has
// nobody to tell, and the worker looks.
type Real struct {
	Worker  config.Worker
	Webhook config.Webhook
}

// Hears reports whether webhooks are taken.
func (r *Real) Hears() bool { return len(r.Webhook.Secrets) > 0 }

// without leaves out the parts that have no place beside the real Didit.
func (r *Real) without(parts []part) []part {
	return slices.DeleteFunc(parts, func(p part) bool {
		return p.name == "simulator" || p.name == "webhook" && !r.Hears()
	})
}

// SimulatorFlows are the ids of flows that only simulators know: ours, and that of .env.example.
func SimulatorFlows() []string {
	return []string{simulatorFlow, "11111111-2222-4333-8444-555555555555"}
}
