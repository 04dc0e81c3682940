package scan

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestNothingPersonalIsKept(t *testing.T) {
	for name, keys := range map[string]string{"plain": "", "encrypted": payloadKeys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, keys)
			w.live()
			w.refused()
			w.operate()
			w.knock()
			w.ask()
			w.shout()
			w.panics()
			before := w.gather()
			for _, p := range w.processes {
				p.stop()
			}
			all := append(before, w.gather()...)
			w.requireFull(all)
			for _, f := range scan(all, needles(w.sim.Sessions())) {
				t.Error(f)
			}
			t.Logf("%d sinks, %d bytes, %d sessions", len(all), volume(all), len(w.sim.Sessions()))
		})
	}
}

func volume(all []sink) (n int) {
	for _, s := range all {
		n += len(s.data)
	}
	return n
}

// requireFull makes sure that there was something to find: a sink that is empty proves nothing.
func (w *world) requireFull(all []sink) {
	w.t.Helper()
	kinds := []string{
		"history of kyc-approved, event 1,", "list entry of kyc-approved", "description of kyc-approved", "log of worker", "log of webhook",
		"log of starter", "file temporal.db", "command starter start", "command starter status", "command starter bulk",
		"command starter decide", "command starter doctor", "command starter setup", "answer of the API", "answer of the webhook",
		"result that was sent", "results of a bulk start",
	}
	if slices.ContainsFunc(config.Variables(), func(v config.Variable) bool { return v.Name == "METRICS_ADDR" }) {
		kinds = append(kinds, "metrics at", "traces")
	}
	for _, kind := range kinds {
		size := 0
		for _, s := range all {
			if strings.HasPrefix(s.name, kind) {
				size += len(s.data)
			}
		}
		assert.NotZero(w.t, size, "%s: nothing was kept", kind)
	}
	// The simulator told, and the system took, what is looked for.
	for _, s := range all {
		if s.name == "log of webhook" {
			require.True(w.t, bytes.Contains(s.data, []byte("status.updated")), "the webhook heard nothing")
		}
	}
}
