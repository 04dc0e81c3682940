package diditsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestDeliveriesAreListedWithTheirAnswers(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	hooks := receive(t, func(n int, _ hook) int { return map[bool]int{true: 503, false: 200}[n <= 2] })
	b := start(t, diditsim.Options{Now: func() time.Time { return now }, RetryDelays: []time.Duration{time.Nanosecond}})
	d, err := b.api.CreateDestination(t.Context(), didit.CreateDestinationRequest{
		Label: "ours", URL: hooks.url, Enabled: true, Events: []string{didit.EventStatusUpdated},
	})
	require.NoError(t, err)
	s := b.create(t, "u1")
	b.settle(t)
	require.NoError(t, b.SetStatus(s.ID, didit.StatusInProgress))
	b.settle(t)

	list := func(r didit.ListDeliveriesRequest) didit.DeliveryPage {
		t.Helper()
		p, err := b.api.ListDeliveries(t.Context(), d.ID, r)
		require.NoError(t, err)
		return p
	}
	page := list(didit.ListDeliveriesRequest{})
	require.Len(t, page.Attempts, 3, "a first attempt, its retry, and the next event")
	assert.False(t, page.More)
	codes := []int{page.Attempts[0].Code, page.Attempts[1].Code, page.Attempts[2].Code}
	assert.Equal(t, []int{200, 503, 503}, codes, "the newest first")
	assert.True(t, page.Attempts[0].Delivered())
	assert.False(t, page.Attempts[1].Delivered())
	assert.Equal(t, s.ID, page.Attempts[2].SessionID)
	assert.Equal(t, didit.EventStatusUpdated, page.Attempts[2].Type)
	assert.Equal(t, now, page.Attempts[2].At)

	part := list(didit.ListDeliveriesRequest{Limit: 2})
	assert.True(t, part.More)
	assert.Equal(t, page.Attempts[:2], part.Attempts)
	assert.Equal(t, page.Attempts[2:], list(didit.ListDeliveriesRequest{Limit: 2, Offset: 2}).Attempts)
	assert.Len(t, list(didit.ListDeliveriesRequest{From: now, To: now}).Attempts, 3, "both days are inclusive")
	assert.Empty(t, list(didit.ListDeliveriesRequest{To: now.AddDate(0, 0, -1)}).Attempts)

	lost, event, err := b.api.GetDelivery(t.Context(), d.ID, page.Attempts[1].ID)
	require.NoError(t, err)
	assert.Equal(t, page.Attempts[1], lost)
	_, first, err := b.api.GetDelivery(t.Context(), d.ID, page.Attempts[2].ID)
	require.NoError(t, err)
	assert.Equal(t, first.ID, event.ID, "the same in each attempt")
	assert.Equal(t, "u1", event.VendorData)
	assert.Equal(t, didit.StatusNotStarted, event.Status)
	assert.Equal(t, b.Deliveries()[0].EventID, event.ID)
	_, _, err = b.api.GetDelivery(t.Context(), d.ID, uuid.NewString())
	assert.Equal(t, http.StatusNotFound, refusal(t, err).StatusCode)
	_, err = b.api.ListDeliveries(t.Context(), uuid.NewString(), didit.ListDeliveriesRequest{})
	assert.Equal(t, http.StatusNotFound, refusal(t, err).StatusCode)
}

func TestADeliveryShowsWhatWasSent(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret})
	b.create(t, "u1")
	b.settle(t)
	all, err := b.api.ListDestinations(t.Context())
	require.NoError(t, err)
	page, err := b.api.ListDeliveries(t.Context(), all[0].ID, didit.ListDeliveriesRequest{})
	require.NoError(t, err)
	_, _, body := b.call(t, "GET", "/v3/webhook/destinations/"+all[0].ID+"/deliveries/"+page.Attempts[0].ID+"/", apiKey, "")
	sent := hooks.hooks()[0]
	assert.Contains(t, body, quoted(t, sent.raw), "the body as JSON text")
	assert.Contains(t, body, sent.header.Get(didit.HeaderSignatureV2))
}
