package workflows_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// The real activity and a real receiver; only the silences, which double, are skipped. The test environment tries an
// activity ten times at most.
func TestAReceiverThatFailsTheWholeLadderHearsOneMessage(t *testing.T) {
	const failures = 9
	var ids []string
	var bodies []int64
	effects := map[string]bool{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("webhook-id")
		ids, bodies = append(ids, id), append(bodies, r.ContentLength)
		switch {
		case len(ids)%3 == 0:
			panic(http.ErrAbortHandler) // hangs up
		case len(ids) <= failures:
			effects[id] = true // took it, and failed to say so
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			effects[id] = true
		}
	}))
	defer receiver.Close()
	to, err := activities.NewReceiver(receiver.URL, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
	require.NoError(t, err)
	w := newWorld(t)
	hands := &activities.Activities{Receiver: to}
	w.RegisterActivityWithOptions(hands.SendResult, activity.RegisterOptions{Name: "SendResult"})
	w.OnActivity(acts.FindLastReport, mock.Anything, mock.Anything).Return(activities.LastReport{Results: true}, nil)
	w.OnActivity(acts.ReadDecision, mock.Anything, mock.Anything).Return(activities.Decision{Status: didit.StatusDeclined}, nil)
	began := w.Now()
	w.ExecuteWorkflow(workflows.DecisionChange, kyc.Change{UserID: user, Event: ev(9, didit.StatusDeclined)})
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, ids, failures+1)
	require.Len(t, effects, 1, "exactly once, in effect")
	for i := range ids {
		require.Equal(t, ids[0], ids[i])
		require.Equal(t, bodies[0], bodies[i])
	}
	silences := time.Second << failures // less a second, the sum of 1, 2, 4 ... seconds
	require.GreaterOrEqual(t, w.Now().Sub(began), silences-time.Second)
}
