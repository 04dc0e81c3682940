package scan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

func TestNothingPersonalIsKept(t *testing.T) {
	skip.Long(t)
	for name, keys := range map[string]string{"plain": "", "encrypted": payloadKeys} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, keys)
			w.live()
			w.refused()
			w.operate()
			w.erases()
			w.knock()
			w.ask()
			w.decrypt()
			w.shout()
			w.panics()
			before := w.gather()
			for _, p := range w.processes {
				p.stop()
			}
			all := append(before, w.gather()...)
			require.NoError(t, w.server.Stop()) // which empties the write-ahead log into the file
			all = append(all, w.files("after the end", w.secretly()...)...)
			w.requireFull(all)
			w.requireErased()
			for _, f := range scan(all, w.needles()) {
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
func (w *env) requireFull(all []sink) {
	w.t.Helper()
	kinds := []string{
		"history of kyc-approved, event 1,", "history of kyc-erase-approved~erase-", "list entry of kyc-approved", "description of kyc-approved",
		"description of kyc-panic-create", "file temporal.db at work", "file temporal.db after the end",
		"log of worker", "log of webhook", "log of starter", "log of " + panickyWorker,
		"metrics of worker", "metrics of webhook", "metrics of starter", "metrics of " + panickyWorker,
		"traces of worker", "traces of webhook", "traces of starter",
		"command starter start", "command starter status", "command starter bulk", "command starter decide", "command starter refresh",
		"command starter cancel", "command starter erase", "command starter doctor", "command starter setup",
		"answer of the API", "answer of the webhook", "result that was sent", "results of a bulk start",
	}
	if w.keys != "" {
		kinds = append(kinds, "answer of the codec server")
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
	// The simulator sent, and the system took, what is searched for.
	for _, s := range all {
		if s.name == "log of webhook" {
			require.True(w.t, bytes.Contains(s.data, []byte("status.updated")), "the webhook heard nothing")
		}
	}
}
