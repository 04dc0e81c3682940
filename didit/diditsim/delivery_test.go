package diditsim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestRetries(t *testing.T) {
	for name, tc := range map[string]struct {
		answer   int // 0 hangs
		attempts int
	}{
		"200 is done":                   {200, 1},
		"204 is done":                   {204, 1},
		"a redirect is not followed":    {302, 1},
		"400 is final":                  {400, 1},
		"401 is final":                  {401, 1},
		"403 is final":                  {403, 1},
		"429 is final, unlike one hope": {429, 1},
		"404 is tried again":            {404, 3},
		"500 is tried again":            {500, 3},
		"503 is tried again":            {503, 3},
		"a timeout is tried again":      {0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			hooks := receive(t, func(int, hook) int { return tc.answer })
			b := start(t, diditsim.Options{
				WebhookURL: hooks.url, WebhookSecret: secret, WebhookTimeout: 100 * time.Millisecond,
				RetryDelays: []time.Duration{time.Millisecond, 2 * time.Millisecond},
			})
			id := b.create(t, "u1").ID
			b.settle(t)
			all := b.Deliveries()
			require.Len(t, all, tc.attempts)
			got := hooks.hooks()
			require.Len(t, got, tc.attempts)
			for i, d := range all {
				assert.Equal(t, diditsim.DeliveryAttempt{
					SessionID: id, EventID: all[0].EventID, Type: didit.EventStatusUpdated, Status: didit.StatusNotStarted,
					Attempt: i + 1, Code: tc.answer, Err: d.Err, At: d.At,
				}, d)
				assert.Equal(t, tc.answer == 0, d.Err != nil)
				assert.Equal(t, all[0].EventID, got[i].body["event_id"], "stable over retries")
				assert.Equal(t, got[0].raw, got[i].raw, "the old timestamp by default")
				assert.Equal(t, got[0].header.Get(didit.HeaderSignature), got[i].header.Get(didit.HeaderSignature))
			}
		})
	}
	t.Run("the connection is refused", func(t *testing.T) {
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		b := start(t, diditsim.Options{WebhookURL: gone.URL, WebhookSecret: secret, RetryDelays: []time.Duration{0, 0}})
		b.create(t, "u1")
		b.settle(t)
		assert.Len(t, b.Deliveries(), 3)
	})
	t.Run("one hiccup is enough to be delivered late", func(t *testing.T) {
		hooks := receive(t, func(n int, _ hook) int { return map[bool]int{true: 500, false: 200}[n == 1] })
		b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{0, 0}})
		b.create(t, "u1")
		b.settle(t)
		assert.Equal(t, 200, b.Deliveries()[1].Code)
		assert.Len(t, b.Deliveries(), 2)
	})
	t.Run("no ladder, no retries", func(t *testing.T) {
		hooks := receive(t, func(int, hook) int { return 500 })
		b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{}})
		b.create(t, "u1")
		b.settle(t)
		assert.Len(t, b.Deliveries(), 1)
	})
}

func TestFirstAttemptsOfASessionKeepTheirOrder(t *testing.T) {
	queued := make(chan struct{})
	hooks := receive(t, func(n int, _ hook) int {
		<-queued // nothing is answered before all have happened
		return map[bool]int{true: 500, false: 200}[n%3 == 0]
	})
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{}})
	ids := []string{b.create(t, "u1").ID, b.create(t, "u2").ID, b.create(t, "u3").ID}
	for _, id := range ids {
		b.bring(t, id, didit.StatusKycExpired)
	}
	close(queued)
	b.settle(t)
	for _, id := range ids {
		var statuses []string
		for _, h := range hooks.hooks() {
			if h.body["session_id"] == id {
				statuses = append(statuses, h.body["status"].(string))
			}
		}
		assert.Equal(t, []string{"Not Started", "In Progress", "Approved", "Kyc Expired"}, statuses)
	}
}

func TestDeletionDropsWebhooks(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	hooks := receive(t, func(n int, _ hook) int {
		if n == 1 {
			close(arrived)
			<-release
		}
		return 500
	})
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{0}})
	id := b.create(t, "u1").ID
	<-arrived
	b.bring(t, id, didit.StatusApproved) // two more wait behind the first
	b.remove(t, id)
	close(release)
	b.settle(t)
	assert.Equal(t, []string{"Not Started"}, hooks.statuses(), "neither the queue nor the retry")
}

func TestClose(t *testing.T) {
	t.Run("sends what is queued and drops what waits for a retry", func(t *testing.T) {
		hooks := receive(t, func(int, hook) int { return 500 })
		b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{time.Hour}})
		id := b.create(t, "u1").ID
		b.bring(t, id, didit.StatusApproved)
		b.Close()
		b.Close() // twice does no harm
		assert.Equal(t, []string{"Not Started", "In Progress", "Approved"}, hooks.statuses())
		require.NoError(t, b.SetStatus(id, didit.StatusDeclined))
		b.settle(t)
		assert.Len(t, hooks.hooks(), 3, "closed")
	})
	t.Run("Wait gives up with its context", func(t *testing.T) {
		hooks := receive(t, func(int, hook) int { return 500 })
		b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{time.Hour}})
		b.create(t, "u1")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, b.Wait(ctx), ctx.Err())
		assert.Error(t, ctx.Err())
	})
}

func TestWebhooksCanBeSwitchedOnAndOff(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{})
	id := b.create(t, "u1").ID
	b.settle(t)
	b.SetWebhook(hooks.url, secret)
	require.NoError(t, b.SetStatus(id, didit.StatusInProgress))
	b.settle(t)
	b.SetWebhook("", "")
	require.NoError(t, b.SetStatus(id, didit.StatusApproved))
	b.settle(t)
	assert.Equal(t, []string{"In Progress"}, hooks.statuses(), "what happened without a destination is not made up for")
}

func TestManyAtOnce(t *testing.T) {
	hooks := receive(t, func(n int, _ hook) int { return map[bool]int{true: 503, false: 200}[n%7 == 0] })
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{0, 0, 0, 0, 0, 0, 0, 0}})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			s, err := b.api.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, VendorData: "u" + strconv.Itoa(i)})
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, b.SetStatus(s.ID, didit.StatusInProgress))
			assert.NoError(t, b.SetStatus(s.ID, didit.StatusInReview))
			assert.NoError(t, b.api.UpdateStatus(t.Context(), s.ID, didit.UpdateStatusRequest{NewStatus: didit.StatusApproved}))
			_, err = b.api.Decision(t.Context(), s.ID)
			assert.NoError(t, err)
			b.Sessions()
			b.Deliveries()
		})
	}
	wg.Wait()
	b.settle(t)
	delivered := map[string]bool{}
	for _, d := range b.Deliveries() {
		if d.Code == 200 {
			delivered[d.EventID] = true
		}
	}
	assert.Len(t, delivered, 4*32)
}
