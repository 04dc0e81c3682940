package chaos

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/hosted"
	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// A worker that dies after Didit has made the session, and before it reports it, must not lead to another session. The
// server learns of it when the call's 20 s are over.
func TestAWorkerKilledInTheMiddleOfACreate(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w := start(t, options{})
	w.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Kind: diditsim.Slow, DelayAnswer: time.Minute})
	r, err := w.worker.Working(w.within(timeout))
	require.NoError(t, err)
	began := make(chan kyc.Started, 1)
	go func() {
		s, _ := w.signUp(w.within(timeout), "u1")
		began <- s
	}()
	w.eventually(func() bool { return len(w.sim.Sessions()) == 1 }, "Didit has made the session")
	require.NoError(t, w.worker.End(r, os.Kill))
	s := <-began
	require.Equal(t, w.sim.Sessions()[0].URL, s.Session.URL, "the session was found")
	require.Len(t, w.sim.Sessions(), 1)
	require.Equal(t, 1, w.creates.Of("u1"), "looked before trying again")
	require.NoError(t, hosted.Press(t.Context(), s.Session.URL, "approve"))
	require.Equal(t, kyc.OutcomeApproved, w.result("u1").Outcome)
}

// When Temporal is away for longer than Didit repeats a webhook, the verification finds the verdict by itself.
func TestTemporalIsDownUntilDiditGivesUp(t *testing.T) {
	skip.Long(t)
	alongside(t)
	w := start(t, options{reconcileAfter: 2 * time.Second, retries: []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}})
	s := w.begin("u1")
	require.NoError(t, hosted.Open(t.Context(), s.Session.URL))
	w.eventually(func() bool { return w.delivered(didit.StatusInProgress, http.StatusOK) }, "the webhook of the opened page")
	require.NoError(t, w.server.Kill())
	require.NoError(t, hosted.Press(t.Context(), s.Session.URL, "approve"))
	require.NoError(t, w.sim.Wait(w.within(timeout)), "Didit gives up")
	require.False(t, w.delivered(didit.StatusApproved, http.StatusOK))
	require.NoError(t, w.server.Restart(w.within(timeout)))
	require.Equal(t, kyc.OutcomeApproved, w.result("u1").Outcome)
}

func (w *env) delivered(status didit.Status, code int) bool {
	for _, d := range w.sim.Deliveries() {
		if d.Status == status && d.Code == code {
			return true
		}
	}
	return false
}
