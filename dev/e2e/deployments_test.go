package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// Two deployments share a Didit application and its webhook secret: each is sent every event.
func TestTwoDeploymentsNeverTouchEachOthersUsers(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	boxA, boxB := newInbox(t), newInbox(t)
	a := start(t, options{resultURL: boxA.URL, deployment: "production"})
	hookA := a.webhookURL
	b := start(t, options{resultURL: boxB.URL, deployment: "staging", beside: a})
	both := httptest.NewServer(sendToBoth(hookA, b.webhookURL))
	t.Cleanup(both.Close)
	a.sim.SetWebhook(both.URL, secret)

	l := &life{served: serveAPI(a), inbox: boxA, user: "1001"}
	mine := l.decided("approve")
	require.NoError(t, a.sim.Wait(a.within(timeout)))
	require.Zero(t, b.count("WorkflowId = 'kyc-1001'"), "it is not a user of the other one")
	_, err := b.State(b.within(timeout), "1001")
	require.ErrorIs(t, err, kyc.ErrNotFound)

	// A session that neither of them made, though it names a run.
	stranger := &life{served: l.served, inbox: boxA, user: "1002"}
	stranger.create(`{"temporal_run_id":"` + uuid.NewString() + `"}`)
	x := a.sim.SessionsOf("1002")[0]
	stranger.becomes(x.ID, didit.StatusInProgress, didit.StatusApproved)

	// The other one verifies the same user: a session of its own, and its own verdict.
	theirs, err := b.Start(b.within(timeout), kyc.Input{UserID: "1001"})
	require.NoError(t, err)
	require.NotEqual(t, mine.SessionID, theirs.Session.SessionID)
	b.press(theirs.Session.URL, "decline")
	require.Equal(t, kyc.OutcomeDeclined, b.closed("1001").Outcome)
	require.NoError(t, a.sim.Wait(a.within(timeout)))
	require.Equal(t, kyc.OutcomeApproved, a.closed("1001").Outcome)
	require.Len(t, boxA.results("1001"), 1)
	require.Len(t, boxB.results("1001"), 1)
	for _, s := range []*system{a, b} {
		require.Zero(t, s.count("WorkflowId = 'kyc-1002'"))
	}
	require.Empty(t, append(boxA.results("1002"), boxB.results("1002")...))
}

// sendToBoth hands each webhook to both, as two destinations of one application would get it, and answers the worse.
func sendToBoth(urls ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		worst := 0
		for _, u := range urls {
			out, err := http.NewRequestWithContext(req.Context(), http.MethodPost, u, bytes.NewReader(body))
			if err != nil {
				worst = http.StatusInternalServerError
				continue
			}
			out.Header = req.Header.Clone()
			res, err := http.DefaultClient.Do(out)
			if err != nil {
				worst = http.StatusServiceUnavailable
				continue
			}
			_ = res.Body.Close()
			worst = max(worst, res.StatusCode)
		}
		w.WriteHeader(worst)
	}
}
