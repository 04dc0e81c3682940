package e2e

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// startLenientWebhook starts a webhook that takes what a Didit with a slow clock has signed.
func (s *system) startLenientWebhook() (stop func()) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	s.sim.SetWebhook("http://"+listener.Addr().String()+receiver.Path, secret)
	cfg := config.Webhook{
		Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: time.Hour, Environment: config.Live, MaxBody: 1 << 20,
	}
	c, watch := s.dialAs("webhook")
	return s.process(func(ctx context.Context) error {
		return app.ServeWebhook(ctx, listener, c, cfg, s.logger("webhook"), watch)
	})
}

// sweep triggers the schedule and waits for the end of the sweep.
func (s *system) sweep() (result kyc.SweepResult) {
	s.t.Helper()
	before, err := s.Sweeps(s.within(timeout))
	require.NoError(s.t, err)
	schedule := s.Temporal().ScheduleClient().GetHandle(s.t.Context(), ops.SweepID)
	require.NoError(s.t, schedule.Trigger(s.within(timeout), client.ScheduleTriggerOptions{}))
	s.eventually(func() bool {
		now, err := s.Sweeps(s.within(timeout))
		result = now.Result
		return err == nil && now.Last.After(before.Last) && result.State != ""
	}, "the end of a sweep")
	return result
}

// sweepEvents is how long the history of the newest sweep is.
func (s *system) sweepEvents() (n int) {
	s.t.Helper()
	d, err := s.Temporal().ScheduleClient().GetHandle(s.t.Context(), ops.SweepID).Describe(s.within(timeout))
	require.NoError(s.t, err)
	run := d.Info.RecentActions[len(d.Info.RecentActions)-1].StartWorkflowResult
	events := s.Temporal().GetWorkflowHistory(s.within(timeout), run.WorkflowID, run.FirstExecutionRunID, false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		_, err := events.Next()
		require.NoError(s.t, err)
		n++
	}
	return n
}

// A reviewer changes 200 verdicts while the webhook is down, and Didit gives up. The first sweep after it finds them all.
func TestASweepFindsWhatNoWebhookBrought(t *testing.T) {
	t.Parallel()
	const users = 200
	signup := newSignup(t, nil)
	s := start(t, options{
		resultURL: signup.URL, webhookRetries: []time.Duration{0, 0}, observe: config.Telemetry{MetricsAddr: "127.0.0.1:0"},
	})
	s.stopWebhook()
	s.sim.SetClockOffset(-10 * time.Minute) // what it sends has had its last retry when it is sent
	s.stopWebhook = s.startLenientWebhook()
	made, err := s.SetupSweep(t.Context())
	require.NoError(t, err)
	require.True(t, made)
	schedule := s.Temporal().ScheduleClient().GetHandle(t.Context(), ops.SweepID)
	require.NoError(t, schedule.Pause(t.Context(), client.SchedulePauseOptions{Note: "the test says when"}))

	sessions := map[string]string{}
	for i := range users {
		user := fmt.Sprintf("u%d", i)
		began := s.begin(user)
		sessions[user] = began.Session.SessionID
		s.press(began.Session.URL, "approve")
	}
	for user := range sessions {
		require.Equal(t, kyc.OutcomeApproved, s.closed(user).Outcome)
	}
	require.Len(t, signup.got(), users)

	s.stopWebhook()
	for _, id := range sessions {
		require.NoError(t, s.sim.SetStatus(id, didit.StatusDeclined))
	}
	require.NoError(t, s.sim.Wait(s.within(timeout)))
	s.stopWebhook = s.startLenientWebhook()
	for user := range sessions {
		require.Equal(t, kyc.OutcomeApproved, s.closed(user).Outcome, "nothing has brought the change")
	}

	began := time.Now()
	result := s.sweep()
	s.eventually(func() bool { return len(signup.got()) >= 2*users }, "a callback for each change")
	t.Logf("%d found with %d reads and %d events of history; all %d were reported after %s", result.Found, result.Reads, s.sweepEvents(),
		users, time.Since(began).Round(time.Millisecond))
	require.Equal(t, kyc.SweepDone, result.State)
	require.Equal(t, users, result.Found)
	s.shows("worker", fmt.Sprintf(`kyc_sweep_late_seconds_count(\{[^}]*\})? %d`, users))

	for _, id := range sessions {
		require.NoError(t, s.sim.Resend(id))
	}
	require.NoError(t, s.sim.Wait(s.within(timeout)))
	again := s.sweep()
	require.Zero(t, again.Found)
	t.Logf("the next sweep: %d reads, %d events of history", again.Reads, s.sweepEvents())

	changed := map[string]int{}
	for user := range sessions {
		require.Equal(t, kyc.OutcomeDeclined, s.closed(user).Outcome)
	}
	for _, m := range signup.got() {
		if m.result.Type == kyc.ResultChanged {
			changed[m.result.Data.UserID]++
			require.Equal(t, kyc.OutcomeDeclined, m.result.Data.Outcome)
		}
	}
	require.Len(t, signup.got(), 2*users, "each change is reported once, though Didit has sent it again")
	require.Len(t, changed, users)
}

func TestSetupKeepsTheScheduleOfSweeps(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	_, err := s.Sweeps(t.Context())
	require.ErrorIs(t, err, kyc.ErrNotFound)
	made, err := s.SetupSweep(t.Context())
	require.NoError(t, err)
	require.True(t, made)
	first := s.sweep()
	require.Equal(t, kyc.SweepDone, first.State)
	require.Len(t, first.Cursors, 1)

	schedule := s.Temporal().ScheduleClient().GetHandle(t.Context(), ops.SweepID)
	require.NoError(t, schedule.Pause(t.Context(), client.SchedulePauseOptions{Note: "CASE-7"}))
	made, err = s.SetupSweep(t.Context())
	require.NoError(t, err)
	require.False(t, made)
	now, err := s.Sweeps(t.Context())
	require.NoError(t, err)
	require.True(t, now.Paused)
	require.Equal(t, "CASE-7", now.Note)

	second := s.sweep()
	require.True(t, second.Cursors[0].From.After(first.Cursors[0].From), "it carries on where the first one has ended")
	require.WithinDuration(t, first.Cursors[0].From, second.Cursors[0].From, time.Hour, "and not a day back")
	d, err := schedule.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, d.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, d.Schedule.Policy.CatchupWindow)
}
