package diditsim_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

// lifecycle creates a session and changes its status: Not Started, In Progress, In Review, Approved.
func (b bundle) lifecycle(t *testing.T, vendorData string) string {
	t.Helper()
	id := b.create(t, vendorData).ID
	for _, st := range []didit.Status{didit.StatusInProgress, didit.StatusInReview, didit.StatusApproved} {
		require.NoError(t, b.SetStatus(id, st))
	}
	return id
}

// scripted is a simulator whose webhooks are as script says, tried again once at most.
func scripted(t *testing.T, script diditsim.WebhookScript, answer func(int, hook) int) (bundle, *receiver) {
	t.Helper()
	hooks := receive(t, answer)
	return start(t, diditsim.Options{
		WebhookURL: hooks.url, WebhookSecret: secret, RetryDelays: []time.Duration{0}, Webhooks: script, Limits: diditsim.Unlimited,
	}), hooks
}

func TestWhichEventsArrive(t *testing.T) {
	const s1, s2, s3, s4 = "Not Started", "In Progress", "In Review", "Approved"
	once := []diditsim.Send{{}}
	for name, tc := range map[string]struct {
		script diditsim.WebhookScript
		want   []string
	}{
		"no script":                              {nil, []string{s1, s2, s3, s4}},
		"nothing is dropped":                     {diditsim.DropMask(0), []string{s1, s2, s3, s4}},
		"the first is dropped":                   {diditsim.DropMask(0b0001), []string{s2, s3, s4}},
		"the second and the last are dropped":    {diditsim.DropMask(0b1010), []string{s1, s3}},
		"all are dropped":                        {diditsim.DropMask(^uint64(0)), nil},
		"an empty plan drops as well":            {func(diditsim.Event) []diditsim.Send { return []diditsim.Send{} }, nil},
		"all come twice":                         {diditsim.Duplicate(1), []string{s1, s1, s2, s2, s3, s3, s4, s4}},
		"fewer than no duplicates are none":      {diditsim.Duplicate(-1), []string{s1, s2, s3, s4}},
		"backwards":                              {diditsim.Reorder([]int{4, 3, 2, 1}), []string{s4, s3, s2, s1}},
		"the third first":                        {diditsim.Reorder([]int{3, 1, 2}), []string{s3, s1, s2, s4}},
		"two change places in the middle":        {diditsim.Reorder([]int{1, 3, 2, 4}), []string{s1, s3, s2, s4}},
		"who is not in the order does not wait":  {diditsim.Reorder([]int{4, 2}), []string{s1, s3, s4, s2}},
		"no order is the usual one":              {diditsim.Reorder(nil), []string{s1, s2, s3, s4}},
		"who waits for the future waits":         {diditsim.Reorder([]int{5, 2, 3}), []string{s1, s4}},
		"who waits for the dropped does not":     {after(2, 1, diditsim.DropMask(1)), []string{s2, s3, s4}},
		"who waits for the held does":            {after(2, 1, holding(1)), []string{s3, s4}},
		"who waits for the past does not":        {after(3, 1, diditsim.Duplicate(0)), []string{s1, s2, s3, s4}},
		"some are held":                          {holding(0b0101), []string{s2, s4}},
		"a delivery that waits for its own copy": {after(1, 1, nil, once...), []string{s1, s1, s2, s3, s4}},
	} {
		t.Run(name, func(t *testing.T) {
			b, hooks := scripted(t, tc.script, nil)
			id := b.lifecycle(t, "u1")
			b.settle(t)
			assert.Equal(t, tc.want, hooks.statuses())
			kept, _ := b.Session(id)
			assert.Equal(t, didit.StatusApproved, kept.Status, "the status changes all the same")
		})
	}
}

// holding holds the n-th event of each session if bit n-1 of mask is set.
func holding(mask uint64) diditsim.WebhookScript {
	return func(e diditsim.Event) []diditsim.Send { return []diditsim.Send{{Hold: mask>>(e.N-1)&1 == 1}} }
}

// after makes the n-th event wait for another, and leaves the rest to script.
func after(n, first int, script diditsim.WebhookScript, more ...diditsim.Send) diditsim.WebhookScript {
	return func(e diditsim.Event) []diditsim.Send {
		switch {
		case e.N == n:
			return append(more[:len(more):len(more)], diditsim.Send{After: first})
		case script == nil:
			return []diditsim.Send{{}}
		}
		return script(e)
	}
}

func TestMasksEndWithTheSixtyFourthEvent(t *testing.T) {
	all := diditsim.DropMask(^uint64(0))
	assert.Empty(t, all(diditsim.Event{N: 64}))
	assert.Len(t, all(diditsim.Event{N: 65}), 1)
}

func TestDuplicatesAreTheSameBytes(t *testing.T) {
	now := time.Now()
	hooks := receive(t, nil)
	var b bundle
	hooks.answer = func(n int, _ hook) int {
		b.SetClockOffset(time.Duration(n) * time.Minute) // later for each
		return 200
	}
	b = start(t, diditsim.Options{
		WebhookURL: hooks.url, WebhookSecret: secret, Webhooks: diditsim.Duplicate(2),
		Now: func() time.Time { return now },
	})
	b.create(t, "u1")
	b.settle(t)
	got := hooks.hooks()
	require.Len(t, got, 3)
	for _, h := range got[1:] {
		assert.Equal(t, got[0].raw, h.raw)
		assert.Equal(t, got[0].header.Get(didit.HeaderSignatureV2), h.header.Get(didit.HeaderSignatureV2))
	}
	all := b.Deliveries()
	require.Len(t, all, 3, "each is a delivery of its own")
	for i, d := range all {
		assert.Equal(t, all[0].EventID, d.EventID)
		assert.Equal(t, 1, d.Attempt)
		assert.WithinDuration(t, now.Add(time.Duration(i+1)*time.Minute), d.At, 0)
	}
}

func TestEachDuplicateIsRetriedByItself(t *testing.T) {
	b, _ := scripted(t, diditsim.Duplicate(1), func(int, hook) int { return 503 })
	b.create(t, "u1")
	b.settle(t)
	attempts := map[int]int{}
	for _, d := range b.Deliveries() {
		attempts[d.Attempt]++
	}
	assert.Equal(t, map[int]int{1: 2, 2: 2}, attempts)
}

func TestCorruptSignaturesAreRefused(t *testing.T) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}})
	require.NoError(t, err)
	script := func(diditsim.Event) []diditsim.Send { return []diditsim.Send{{Corrupt: true}, {}} }
	b, hooks := scripted(t, script, func(n int, h hook) int {
		if _, err := verifier.Verify(h.header, []byte(h.raw)); err != nil {
			return 403
		}
		return 200
	})
	b.create(t, "u1")
	b.settle(t)
	all := b.Deliveries()
	require.Len(t, all, 2, "a 403 is final")
	assert.Equal(t, 403, all[0].Code)
	assert.Equal(t, 200, all[1].Code)
	got := hooks.hooks()
	assert.Equal(t, got[1].raw, got[0].raw, "the body is whole")
	for _, name := range []string{didit.HeaderSignature, didit.HeaderSignatureV2, didit.HeaderSignatureSimple} {
		assert.Regexp(t, `^[0-9a-f]{64}$`, got[0].header.Get(name))
		assert.NotEqual(t, got[1].header.Get(name), got[0].header.Get(name))
	}
}

func TestACorruptDeliveryStaysCorruptWhenItIsRetried(t *testing.T) {
	b, hooks := scripted(t, diditsim.CorruptMask(0b10), func(n int, h hook) int { return map[bool]int{true: 503, false: 200}[n == 2] })
	b.bring(t, b.create(t, "u1").ID, didit.StatusInProgress)
	b.settle(t)
	got := hooks.hooks()
	require.Len(t, got, 3)
	genuine := func(h hook) bool {
		return h.header.Get(didit.HeaderSignature) == didit.Sign(secret, []byte(h.raw))
	}
	assert.Equal(t, []bool{true, false, false}, []bool{genuine(got[0]), genuine(got[1]), genuine(got[2])})
	assert.Equal(t, got[1].header.Get(didit.HeaderSignature), got[2].header.Get(didit.HeaderSignature))
}

func TestAScriptSeesEachEventOnce(t *testing.T) {
	var seen []diditsim.Event // no lock: the Server asks one after the other
	b, hooks := scripted(t, func(e diditsim.Event) []diditsim.Send { seen = append(seen, e); return []diditsim.Send{{}} }, nil)
	b.SetWebhook("", "")
	first := b.create(t, "u1").ID // N 1, without a destination
	b.SetWebhook(hooks.url, secret)
	b.bring(t, first, didit.StatusApproved)
	second := b.create(t, "u1").ID
	b.create(t, "u2")
	require.NoError(t, b.SetStatus(second, didit.StatusInProgress))
	b.settle(t)
	var ids []string
	for i := range seen {
		ids = append(ids, seen[i].EventID)
		seen[i].EventID = ""
	}
	event := func(id, vendor string, st didit.Status, n, session int) diditsim.Event {
		return diditsim.Event{SessionID: id, VendorData: vendor, Type: "status.updated", Status: st, N: n, Session: session}
	}
	assert.Equal(t, []diditsim.Event{
		event(first, "u1", "In Progress", 2, 1), event(first, "u1", "Approved", 3, 1),
		event(second, "u1", "Not Started", 1, 2), event(b.SessionsOf("u2")[0].ID, "u2", "Not Started", 1, 1),
		event(second, "u1", "In Progress", 2, 2),
	}, seen)
	var delivered []string
	for _, h := range hooks.hooks() {
		delivered = append(delivered, h.body["event_id"].(string))
	}
	assert.ElementsMatch(t, ids, delivered)
}

func TestAScriptCanBeChangedAndRemoved(t *testing.T) {
	b, hooks := scripted(t, diditsim.DropMask(^uint64(0)), nil)
	id := b.create(t, "u1").ID
	b.SetWebhookScript(diditsim.Duplicate(1))
	require.NoError(t, b.SetStatus(id, didit.StatusInProgress))
	b.SetWebhookScript(nil)
	require.NoError(t, b.SetStatus(id, didit.StatusApproved))
	b.settle(t)
	assert.Equal(t, []string{"In Progress", "In Progress", "Approved"}, hooks.statuses())
}

func TestSeededFaultsDependOnTheSeedAlone(t *testing.T) {
	odds := diditsim.Odds{Drop: 0.2, Duplicate: 0.3, Corrupt: 0.1, Delay: 0.5, MaxDelay: time.Minute}
	plans := func(seed int64, run string) map[string][]diditsim.Send {
		all, script := map[string][]diditsim.Send{}, diditsim.Seeded(seed, odds)
		for i := range 2000 {
			e := diditsim.Event{VendorData: "u" + strconv.Itoa(i%500), N: 1 + i/500, Session: 1, SessionID: run, EventID: run}
			all[e.VendorData+"/"+strconv.Itoa(e.N)] = script(e)
		}
		return all
	}
	first := plans(1, "a")
	assert.Equal(t, first, plans(1, "another"))
	assert.NotEqual(t, first, plans(2, "a"))
	var dropped, duplicated, corrupt, delayed, sends float64
	for _, plan := range first {
		if len(plan) == 0 {
			dropped++
			continue
		}
		if len(plan) == 2 {
			duplicated++
		}
		if plan[0].Corrupt {
			corrupt++
		}
		for _, s := range plan {
			sends++
			if s.Delay > 0 {
				delayed++
			}
			assert.LessOrEqual(t, s.Delay, time.Minute)
		}
	}
	survived := 2000 - dropped
	assert.InDelta(t, 0.2, dropped/2000, 0.05)
	assert.InDelta(t, 0.3, duplicated/survived, 0.05)
	assert.InDelta(t, 0.1, corrupt/survived, 0.05)
	assert.InDelta(t, 0.5, delayed/sends, 0.05)
	e := diditsim.Event{VendorData: "u1", N: 1, Session: 1}
	assert.Equal(t, []diditsim.Send{{}}, diditsim.Seeded(1, diditsim.Odds{Delay: 1})(e))
	assert.Empty(t, diditsim.Seeded(1, diditsim.Odds{Drop: 1})(e))
}
