package diditsim_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func TestHeldEventsAreSentWhenTheyAreReleased(t *testing.T) {
	b, hooks := scripted(t, holding(0b0011), nil)
	first, second := b.lifecycle(t, "u1"), b.lifecycle(t, "u2")
	b.settle(t) // does not wait for them
	assert.Len(t, hooks.hooks(), 4)
	assert.Equal(t, 2, b.Release(second))
	b.settle(t)
	assert.Equal(t, []string{"Not Started", "In Progress"}, hooks.statuses()[4:], "in the order in which they happened")
	assert.Equal(t, second, hooks.hooks()[4].body["session_id"])
	assert.Zero(t, b.Release(second), "once")
	assert.Equal(t, 2, b.releaseAll())
	b.settle(t)
	assert.Equal(t, first, hooks.hooks()[7].body["session_id"])
	assert.Len(t, hooks.hooks(), 8)
	assert.Zero(t, b.releaseAll())
	assert.Zero(t, b.Release("nobody"))
}

func TestReleaseEndsAWaitForAMissingEvent(t *testing.T) {
	b, hooks := scripted(t, diditsim.Reorder([]int{9, 1, 2}), nil)
	id := b.lifecycle(t, "u1")
	b.settle(t)
	assert.Equal(t, []string{"In Review", "Approved"}, hooks.statuses())
	assert.Equal(t, 2, b.Release(id))
	b.settle(t)
	assert.Equal(t, []string{"In Review", "Approved", "Not Started", "In Progress"}, hooks.statuses())
}

func TestADelayDelaysNothingElse(t *testing.T) {
	script := func(e diditsim.Event) []diditsim.Send {
		return []diditsim.Send{{Delay: map[int]time.Duration{1: time.Hour, 2: 20 * time.Millisecond}[e.N]}}
	}
	b, hooks := scripted(t, script, nil)
	began := time.Now()
	b.bring(t, b.create(t, "u1").ID, didit.StatusApproved)
	eventually(t, func() bool { return slices.Contains(hooks.statuses(), "In Progress") && len(b.Deliveries()) == 2 })
	assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
	assert.Contains(t, hooks.statuses(), "Approved")
	b.Close()
	assert.Len(t, hooks.hooks(), 2, "what is delayed is dropped at the end")
}

func TestADelayedDeliveryIsStampedWhenItIsSent(t *testing.T) {
	b, hooks := scripted(t, func(diditsim.Event) []diditsim.Send { return []diditsim.Send{{Hold: true, Delay: 1}} }, nil)
	id := b.create(t, "u1").ID
	b.SetClockOffset(time.Hour)
	b.Release(id)
	b.settle(t)
	body := hooks.hooks()[0].body
	assert.InDelta(t, 3600, body["timestamp"].(float64)-body["created_at"].(float64), 5)
}

func TestWebhooksOfADeletedSessionAreDropped(t *testing.T) {
	b, hooks := scripted(t, func(e diditsim.Event) []diditsim.Send {
		return []diditsim.Send{{Hold: true}, {After: 9}, {Delay: time.Millisecond}}
	}, nil)
	other, id := b.create(t, "u2").ID, b.create(t, "u1").ID
	for _, gone := range []string{other, id} {
		b.remove(t, gone)
	}
	assert.Zero(t, b.Release(id))
	assert.Zero(t, b.releaseAll())
	b.settle(t)
	for _, d := range b.Deliveries() {
		assert.Equal(t, didit.StatusNotStarted, d.Status, "the delayed one may have been faster")
	}
	assert.LessOrEqual(t, len(hooks.hooks()), 2)
	assert.ErrorIs(t, b.Resend(id), diditsim.ErrUnknownSession)
}

func TestNothingIsReleasedAfterClose(t *testing.T) {
	b, hooks := scripted(t, holding(1), nil)
	id := b.create(t, "u1").ID
	b.Close()
	assert.Zero(t, b.Release(id))
	assert.ErrorIs(t, b.Resend(id), diditsim.ErrNoDestination)
	b.settle(t)
	assert.Empty(t, hooks.hooks())
}

func TestResendRepeatsTheNewestEvent(t *testing.T) {
	b, hooks := scripted(t, diditsim.DropMask(0b010), func(n int, _ hook) int { return map[bool]int{true: 503, false: 200}[n == 3] })
	id := b.create(t, "u1").ID
	b.bring(t, id, didit.StatusApproved) // In Progress is lost
	b.settle(t)
	for hours := range 2 {
		b.SetClockOffset(time.Duration(1+hours) * time.Hour)
		require.NoError(t, b.Resend(id))
		b.settle(t)
	}
	got, all := hooks.hooks(), b.Deliveries()
	require.Len(t, got, 4, "a failed one is not tried again")
	kept, _ := b.Session(id)
	for i, h := range got[2:] {
		later := func() time.Time { return kept.UpdatedAt.Add(time.Duration(1+i) * time.Hour) }
		verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Now: later})
		require.NoError(t, err)
		event, err := verifier.Verify(h.header, []byte(h.raw))
		require.NoError(t, err, "fresh timestamp, fresh signatures")
		assert.Equal(t, didit.StatusApproved, event.Status)
		assert.Equal(t, kept.UpdatedAt.Unix(), event.CreatedAt)
		assert.Equal(t, got[1].body["event_id"], event.ID)
		assert.Equal(t, 1, all[i+2].Attempt)
	}
	assert.ErrorIs(t, b.Resend("nobody"), diditsim.ErrUnknownSession)
	b.SetWebhook("", "")
	assert.ErrorIs(t, b.Resend(id), diditsim.ErrNoDestination)
}

func TestAWrongClockAffectsAllTimes(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Now: clock})
	require.NoError(t, err)
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, Now: clock})
	id := b.create(t, "u1").ID
	b.settle(t)
	b.SetClockOffset(-time.Hour)
	require.NoError(t, b.SetStatus(id, didit.StatusInProgress))
	b.settle(t)
	late := b.create(t, "u2").ID
	b.settle(t)
	got := hooks.hooks()
	_, err = verifier.Verify(got[0].header, []byte(got[0].raw))
	assert.NoError(t, err)
	_, err = verifier.Verify(got[1].header, []byte(got[1].raw))
	assert.ErrorIs(t, err, didit.ErrStale)
	assert.InDelta(t, now.Add(-time.Hour).Unix(), got[1].body["created_at"].(float64), 0)
	_, _, body := b.call(t, "GET", "/v3/session/"+late+"/decision/", apiKey, "")
	assert.Contains(t, body, `"created_at":"2026-11-23T11:00:00Z"`)
	_, _, body = b.call(t, "GET", "/system/healthcheck", "", "")
	assert.Contains(t, body, "2026-11-23T11:00:00Z")
	b.SetClockOffset(0)
	kept, _ := b.Session(b.create(t, "u3").ID)
	assert.Equal(t, now, kept.CreatedAt)
}

func TestOnlyTheNewestDeliveriesAreKept(t *testing.T) {
	hooks := receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: hooks.url, WebhookSecret: secret, KeepDeliveries: 3})
	for i := range 20 {
		id := b.create(t, "u"+strconv.Itoa(i)).ID
		b.settle(t)
		all := b.Deliveries()
		require.Len(t, all, min(i+1, 3))
		assert.Equal(t, id, all[len(all)-1].SessionID)
	}
	assert.Len(t, hooks.hooks(), 20)
}

func TestSessionsOfOneVendor(t *testing.T) {
	b := start(t, diditsim.Options{})
	first := b.create(t, "u1").ID
	b.create(t, "u2")
	b.bring(t, first, didit.StatusApproved)
	second := b.create(t, "u1").ID
	b.bring(t, second, didit.StatusExpired)
	third := b.create(t, "u1").ID
	b.remove(t, second)
	var ids []string
	for _, s := range b.SessionsOf("u1") {
		ids = append(ids, s.ID)
	}
	assert.Equal(t, []string{first, third}, ids)
	assert.Len(t, b.Sessions(), 3)
	assert.Empty(t, b.SessionsOf("nobody"))
}

// A thousand users, with everything at once. What arrives depends on the script alone.
func TestAThousandUsersAtOnce(t *testing.T) {
	const users = 1000
	b, hooks := scripted(t, func(e diditsim.Event) []diditsim.Send {
		return [][]diditsim.Send{{{Hold: true}}, {{After: 3}, {After: 3}}, {{Delay: time.Millisecond}}}[e.N-1]
	}, nil)
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := worker; i < users; i += 16 {
				user := "u" + strconv.Itoa(i)
				if assert.NoError(t, b.tryCreate(t.Context(), user)) {
					id := b.SessionsOf(user)[0].ID
					assert.NoError(t, b.SetStatus(id, didit.StatusInProgress))
					assert.NoError(t, b.SetStatus(id, didit.StatusApproved))
				}
			}
		})
	}
	wg.Wait()
	b.settle(t)
	assert.Equal(t, users, b.releaseAll())
	b.settle(t)
	arrived := map[string][]string{}
	for _, h := range hooks.hooks() {
		user := h.body["vendor_data"].(string)
		arrived[user] = append(arrived[user], h.body["status"].(string))
	}
	assert.Len(t, arrived, users)
	for user, statuses := range arrived {
		assert.Equal(t, []string{"Approved", "In Progress", "In Progress", "Not Started"}, statuses, user)
	}
}
