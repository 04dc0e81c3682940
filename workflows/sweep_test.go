package workflows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"didit-temporal/activities"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// sweeping is a simulated Didit whose webhooks may fail, and the sweeps of a deployment, one after the other.
type sweeping struct {
	t    *testing.T
	sim  *diditsim.Server
	api  *didit.Client
	down atomic.Bool // the webhook
	mu   sync.Mutex
	sent []string         // what Deliver was given: user, status, event id
	last *kyc.SweepResult // of the newest sweep
	at   time.Time        // when the next sweep begins
}

// Deliver implements activities.Runs.
func (s *sweeping) Deliver(_ context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !from.Ours {
		return kyc.DeliveredForeign, nil
	}
	s.sent = append(s.sent, fmt.Sprintf("%s %s %s", userID, ev.Status, ev.EventID))
	return kyc.DeliveredSignal, nil
}

func (s *sweeping) Predecessor(context.Context, string, string) (kyc.Snapshot, error) {
	return kyc.Snapshot{}, nil
}
func (s *sweeping) Erased(context.Context, string) (bool, error)    { return false, nil }
func (s *sweeping) DeleteRun(context.Context, string, string) error { return nil }

// newSweeping is a Didit that tries again after the waits given, and whose clock is half an hour slow, so that what it sends now has had its last retry.
func newSweeping(t *testing.T, retries ...time.Duration) *sweeping {
	t.Helper()
	s := &sweeping{t: t, at: time.Now()}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(hook.Close)
	s.sim = diditsim.New(diditsim.Options{
		APIKey: "the-key-of-the-simulator", WorkflowIDs: []string{flow}, WebhookURL: hook.URL, WebhookSecret: "the-secret-of-the-webhook",
		RetryDelays: append([]time.Duration{}, retries...), Limits: diditsim.Unlimited,
	})
	t.Cleanup(s.sim.Close)
	s.sim.SetClockOffset(-30 * time.Minute)
	server := httptest.NewServer(s.sim)
	t.Cleanup(server.Close)
	var err error
	s.api, err = didit.NewClient(didit.ClientOptions{BaseURL: server.URL, APIKey: "the-key-of-the-simulator"})
	require.NoError(t, err)
	return s
}

// session makes a session of a user of a deployment, and the person begins.
func (s *sweeping) session(userID, deployment string) string {
	s.t.Helper()
	metadata, err := json.Marshal(kyc.SessionMetadata{Deployment: deployment, Attempt: 1})
	require.NoError(s.t, err)
	made, err := s.api.CreateSession(s.t.Context(), didit.CreateSessionRequest{
		WorkflowID: flow, VendorData: userID, Metadata: metadata,
	})
	require.NoError(s.t, err)
	s.moves(made.ID, didit.StatusInProgress)
	return made.ID
}

// moves sets a status and waits for the end of all attempts to deliver it.
func (s *sweeping) moves(sessionID string, status didit.Status) {
	s.t.Helper()
	require.NoError(s.t, s.sim.SetStatus(sessionID, status))
	require.NoError(s.t, s.sim.Wait(s.t.Context()))
}

// sweep runs one sweep, which begins an interval after the last one.
func (s *sweeping) sweep() kyc.SweepResult {
	s.t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartTime(s.at)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: stuckAfter})
	env.SetTestTimeout(stuckAfter)
	if s.last != nil {
		env.SetLastCompletionResult(*s.last)
	}
	env.RegisterActivity(&activities.Activities{
		Deliveries: s.api, Runs: s, Settings: activities.Settings{Deployment: deployment, Environment: didit.EnvironmentLive},
	})
	env.ExecuteWorkflow(workflows.Sweep)
	require.NoError(s.t, env.GetWorkflowError())
	var result kyc.SweepResult
	require.NoError(s.t, env.GetWorkflowResult(&result))
	s.last, s.at = &result, s.at.Add(ops.SweepInterval)
	return result
}

func (s *sweeping) delivered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.sent...)
}

// eventOf is what Deliver is given of the newest event of a session.
func (s *sweeping) eventOf(userID, sessionID string) string {
	all := s.sim.Deliveries()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].SessionID == sessionID {
			return fmt.Sprintf("%s %s %s", userID, all[i].Status, all[i].EventID)
		}
	}
	return ""
}

func TestSweepDeliversWhatDiditCouldNot(t *testing.T) {
	s := newSweeping(t, 0, 0)
	taken, lost := s.session("u1", deployment), s.session("u2", deployment)
	s.moves(taken, didit.StatusApproved)
	s.moves(lost, didit.StatusApproved)
	s.down.Store(true)
	s.moves(lost, didit.StatusDeclined)
	s.down.Store(false)

	result := s.sweep()
	require.Equal(t, kyc.SweepDone, result.State)
	require.Equal(t, []string{s.eventOf("u2", lost)}, s.delivered(), "under the event id of the webhook")
	require.Equal(t, 1, result.Found)
	require.Equal(t, 3, result.Reads, "destinations, one page, one delivery")

	again := s.sweep()
	require.Zero(t, again.Found, "the windows overlap, and what was delivered is known")
	require.Equal(t, 2, again.Reads)
}

func TestSweepTakesALaterDeliveryForTheLostOne(t *testing.T) {
	for name, users := range map[string]int{"on the same page": 1, "on a page before": 60} {
		t.Run(name, func(t *testing.T) {
			s := newSweeping(t)
			ids := make([]string, users)
			for i := range ids {
				ids[i] = s.session(fmt.Sprintf("u%d", i), deployment)
			}
			s.down.Store(true)
			for _, id := range ids {
				s.moves(id, didit.StatusApproved)
			}
			s.down.Store(false)
			for _, id := range ids {
				s.moves(id, didit.StatusDeclined)
			}
			require.Zero(t, s.sweep().Found, "the workflows have read the decisions, which are newer")
		})
	}
}

func TestSweepDeliversTheNewestOfTwoLostEvents(t *testing.T) {
	s := newSweeping(t)
	id := s.session("u1", deployment)
	s.down.Store(true)
	s.moves(id, didit.StatusApproved)
	s.moves(id, didit.StatusDeclined)
	require.Equal(t, 1, s.sweep().Found)
	require.Equal(t, []string{s.eventOf("u1", id)}, s.delivered())
}

func TestSweepLeavesRetriesToDidit(t *testing.T) {
	s := newSweeping(t)
	s.sim.SetClockOffset(0)
	s.down.Store(true)
	id := s.session("u1", deployment)
	s.moves(id, didit.StatusApproved)
	require.Zero(t, s.sweep().Found, "Didit may try again")
	require.Equal(t, 1, s.sweep().Found)
}

func TestSweepOfForeignEventsChangesNothing(t *testing.T) {
	s := newSweeping(t)
	s.down.Store(true)
	s.moves(s.session("u1", "elsewhere"), didit.StatusApproved)
	s.moves(s.session("not an id of ours", deployment), didit.StatusApproved)
	s.sweep()
	require.Empty(t, s.delivered())
}

func TestSweepContinuesWhereTheBudgetEnded(t *testing.T) {
	s := newSweeping(t)
	const users = 1200 // 500 a sweep
	ids := make([]string, users)
	for i := range ids {
		ids[i] = s.session(fmt.Sprintf("u%d", i), deployment)
	}
	s.down.Store(true)
	for _, id := range ids {
		require.NoError(t, s.sim.SetStatus(id, didit.StatusApproved))
	}
	require.NoError(t, s.sim.Wait(t.Context()))
	require.Equal(t, kyc.SweepPartial, s.sweep().State)
	s.moves(s.session("later", deployment), didit.StatusApproved) // moves the others down
	second := s.sweep()
	require.Equal(t, kyc.SweepPartial, second.State)
	require.LessOrEqual(t, second.Reads, second.Found+16, "the ten pages that were read are passed over")
	require.Equal(t, kyc.SweepDone, s.sweep().State)
	events := s.delivered()
	require.Len(t, events, users+1, "none was missed, and none was delivered twice")
	slices.Sort(events)
	require.Len(t, slices.Compact(events), users+1)
}

func TestSweepKnowsInALaterPartWhatItHasDelivered(t *testing.T) {
	s := newSweeping(t, 0, 0)
	const users = 600
	s.down.Store(true)
	for i := range users {
		s.session(fmt.Sprintf("u%d", i), deployment)
	}
	for range users {
		if s.sweep().State == kyc.SweepDone {
			break
		}
	}
	require.Equal(t, kyc.SweepDone, s.last.State)
	require.Len(t, s.delivered(), users, "three attempts are one event")
}

func TestSweepSaysThatItMayNotRead(t *testing.T) {
	s := newSweeping(t)
	first := s.sweep()
	require.Equal(t, kyc.SweepDone, first.State)
	s.sim.SetClockOffset(-10 * time.Minute) // after what the first one has seen
	s.down.Store(true)
	s.moves(s.session("u1", deployment), didit.StatusApproved)
	s.sim.FailNext(http.MethodGet, "/v3/webhook/destinations/", diditsim.Fault{Status: http.StatusForbidden, Times: 1})
	result := s.sweep()
	require.Equal(t, kyc.SweepUnreadable, result.State)
	require.Equal(t, kyc.ErrorTypeUnauthorized, result.ErrorType)
	require.Equal(t, first.Cursors, result.Cursors, "nothing is lost meanwhile")
	require.Equal(t, 1, s.sweep().Found)
}

func TestSweepIsNotBlockedByABodyThatIsNoWebhook(t *testing.T) {
	for name, tc := range map[string]struct {
		times, delivered int
	}{"of a proxy in maintenance": {4, 1}, "of Didit": {5, 0}} {
		t.Run(name, func(t *testing.T) {
			s := newSweeping(t)
			id := s.session("u1", deployment)
			s.down.Store(true)
			s.moves(id, didit.StatusApproved)
			s.sim.FailNext(http.MethodGet, "/v3/webhook/destinations/", diditsim.Fault{
				Status: http.StatusOK, Body: "<html>", Times: tc.times,
				Match: func(r *http.Request) bool {
					_, delivery, _ := strings.Cut(r.URL.Path, "/deliveries/")
					return delivery != ""
				},
			})
			require.Equal(t, kyc.SweepDone, s.sweep().State)
			require.Len(t, s.delivered(), tc.delivered)
		})
	}
}
