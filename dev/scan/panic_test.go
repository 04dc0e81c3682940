package scan

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const panickyWorker = "a worker that panics"

// panics lets the worker of production panic on each of its queues, with metrics, traces and the log at debug.
func (w *env) panics() {
	w.t.Helper()
	w.keep(sink{name: "metrics of worker", data: w.scrape(w.metrics["worker"])})
	w.stop("worker")
	now := filepath.Join(w.t.TempDir(), "now")
	self, err := os.Executable()
	require.NoError(w.t, err)
	p := w.launchFile(self, panickyWorker, "worker runs", nil, append(w.workerEnv(panickyWorker), panicVariable+"="+now)...)

	w.receiver(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	w.begin("panic-send")
	w.begin("panic-read")
	w.begin("panic-order")
	w.moves("panic-send", didit.StatusInProgress, didit.StatusApproved) // its result is tried again and again
	w.moves("panic-read", didit.StatusInProgress)
	w.moves("panic-order", didit.StatusInProgress, didit.StatusInReview)
	require.NoError(w.t, os.WriteFile(now, nil, 0o600))
	w.cli("start", "--user", "panic-create", "--timeout", "1s")
	require.NoError(w.t, w.sim.SetStatus(w.sim.SessionsOf("panic-read")[0].ID, didit.StatusApproved))
	w.aside.Go(func() {
		w.cli("decide", "--user", "panic-order", "--status", "approved", "--actor", actor, "--reason", reason, "--timeout", "2s")
	})
	w.aside.Go(func() { w.erase("panic-send", "--timeout", "2s") })
	// To Didit on both queues, to the receiver, to Temporal.
	for _, activity := range []string{"CreateSession", "ReadDecision", "SendResult", "EndVerification"} {
		w.eventually(func() bool { return hasPanicked(p.log.bytes(), activity) }, activity+" panics")
	}
	w.aside.Wait()
	w.cli("status", "--user", "panic-create", "--history")
	w.cli("status", "--user", "panic-read", "--history", "-o", "json")
	for _, s := range append(w.stored(), sink{name: "metrics of " + panickyWorker, data: w.scrape(w.metrics[panickyWorker])}) {
		w.keep(s) // what waits to be tried again is shown in descriptions, and only until then
	}
	require.NoError(w.t, os.Remove(now))
	w.receiver(nil)
	w.ends("panic-read", kyc.OutcomeApproved)
}

// hasPanicked looks for the line of the log that is left of a panic, in our words or in the SDK's.
func hasPanicked(log []byte, activity string) bool {
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte("panic")) && bytes.Contains(line, []byte(activity)) {
			return true
		}
	}
	return false
}
