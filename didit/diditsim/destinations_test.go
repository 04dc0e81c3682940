package diditsim_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func destination(url string) didit.CreateDestinationRequest {
	return didit.CreateDestinationRequest{Label: "ours", URL: url, Enabled: true, Events: []string{didit.EventStatusUpdated}}
}

func TestADestinationIsCreatedReadAndChanged(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	none, err := b.api.ListDestinations(ctx)
	require.NoError(t, err)
	assert.Empty(t, none)

	made, err := b.api.CreateDestination(ctx, destination("https://a.example/hook"))
	require.NoError(t, err)
	assert.Regexp(t, `^[A-Za-z0-9_-]{43}$`, made.Secret.Reveal())
	assert.Equal(t, didit.Destination{
		ID: made.ID, Label: "ours", URL: "https://a.example/hook", Enabled: true, Version: "v3", Events: []string{"status.updated"},
		Secret: made.Secret, CreatedAt: now, UpdatedAt: now,
	}, made)
	read, err := b.api.GetDestination(ctx, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, read)

	off, label := false, "theirs"
	changed, err := b.api.UpdateDestination(ctx, made.ID, didit.UpdateDestinationRequest{
		Label: &label, Enabled: &off, Events: []string{didit.EventDataUpdated},
	})
	require.NoError(t, err)
	want := made
	want.Label, want.Enabled, want.Events = "theirs", false, []string{"data.updated"}
	assert.Equal(t, want, changed, "the secret stays, the events are replaced")

	listed, err := b.api.ListDestinations(ctx)
	require.NoError(t, err)
	want.Secret = ""
	assert.Equal(t, []didit.Destination{want}, listed)
	_, _, raw := b.call(t, "GET", "/v3/webhook/destinations/", apiKey, "")
	assert.NotContains(t, raw, made.Secret.Reveal())
}

func TestDestinationsThatDiditRefuses(t *testing.T) {
	b := start(t, diditsim.Options{})
	first, err := b.api.CreateDestination(t.Context(), destination("https://a.example"))
	require.NoError(t, err)
	_, err = b.api.CreateDestination(t.Context(), destination("https://b.example"))
	require.NoError(t, err)
	const all, taken = "/v3/webhook/destinations/", `{"url":["A destination with this URL already exists."]}`
	one := all + first.ID + "/"
	for name, tc := range map[string]struct {
		method, path, key, body string
		code                    int
		want                    string
	}{
		"a URL that is taken":         {"POST", all, apiKey, `{"label":"x","url":"https://a.example","subscribed_events":["status.updated"]}`, 400, taken},
		"a change to one":             {"PATCH", one, apiKey, `{"url":"https://b.example"}`, 400, taken},
		"no events":                   {"POST", all, apiKey, `{"label":"x","url":"https://c.example","subscribed_events":[]}`, 400, `{"subscribed_events":["This list may not be empty."]}`},
		"a change to no events":       {"PATCH", one, apiKey, `{"subscribed_events":[]}`, 400, `{"subscribed_events":["This list may not be empty."]}`},
		"an unknown event":            {"POST", all, apiKey, `{"label":"x","url":"https://c.example","subscribed_events":["*"]}`, 400, `{"subscribed_events":[["Not a valid choice."]]}`},
		"no label":                    {"POST", all, apiKey, `{"url":"https://c.example"}`, 400, `{"label":["This field is required."]}`},
		"a blank label":               {"PATCH", one, apiKey, `{"label":""}`, 400, `{"label":["This field may not be blank."]}`},
		"no URL":                      {"POST", all, apiKey, `{"label":"x"}`, 400, `{"url":["This field is required."]}`},
		"a URL that is none":          {"POST", all, apiKey, `{"label":"x","url":"hook"}`, 400, `{"url":["Enter a valid URL."]}`},
		"an unknown version":          {"PATCH", one, apiKey, `{"webhook_version":"v4"}`, 400, `{"webhook_version":["\"v4\" is not a valid choice."]}`},
		"half a JSON":                 {"PATCH", one, apiKey, `{`, 400, `{"detail":"JSON parse error."}`},
		"an unknown destination":      {"GET", all + uuid.NewString() + "/", apiKey, "", 404, `{"detail":"Not found."}`},
		"a change of an unknown one":  {"PATCH", all + uuid.NewString() + "/", apiKey, "{}", 404, `{"detail":"Not found."}`},
		"the first, which has no URL": {"GET", all + "00000000-0000-4000-8000-00000000de57/", apiKey, "", 404, `{"detail":"Not found."}`},
		"a list with a wrong key":     {"GET", all, "wrong", "", 401, `{"detail":"Invalid API key."}`},
		"one without a key":           {"GET", one, "", "", 403, `{"detail":"Authentication credentials were not provided or are invalid."}`},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, body := b.call(t, tc.method, tc.path, tc.key, tc.body)
			assert.Equal(t, tc.code, code)
			assert.JSONEq(t, tc.want, body)
		})
	}
	t.Run("a uuid in a change is ignored, and its own URL is not taken", func(t *testing.T) {
		code, _, body := b.call(t, "PATCH", one, apiKey, `{"uuid":"`+uuid.NewString()+`","url":"https://a.example"}`)
		assert.Equal(t, 200, code)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, first.ID, got["uuid"])
	})
	t.Run("events that are left out subscribe to nothing", func(t *testing.T) {
		code, _, body := b.call(t, "POST", all, apiKey, `{"label":"x","url":"https://c.example"}`)
		assert.Equal(t, 201, code)
		assert.Contains(t, body, `"subscribed_events":[]`)
	})
}

func TestWebhooksGoToEveryDestinationThatWantsThem(t *testing.T) {
	verified := func(t *testing.T, r *receiver, key string) {
		t.Helper()
		v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{key}})
		require.NoError(t, err)
		for _, h := range r.hooks() {
			_, err := v.Verify(h.header, []byte(h.raw))
			require.NoError(t, err)
		}
	}
	main, second, deaf, off := receive(t, nil), receive(t, func(n int, _ hook) int { return []int{500, 200, 200}[n-1] }), receive(t, nil), receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: main.url, WebhookSecret: secret, RetryDelays: []time.Duration{0}})
	make := func(r *receiver, change func(*didit.CreateDestinationRequest)) didit.Destination {
		req := destination(r.url)
		change(&req)
		d, err := b.api.CreateDestination(t.Context(), req)
		require.NoError(t, err)
		return d
	}
	d := make(second, func(*didit.CreateDestinationRequest) {})
	make(deaf, func(r *didit.CreateDestinationRequest) { r.Events = []string{didit.EventDataUpdated} })
	switched := make(off, func(r *didit.CreateDestinationRequest) { r.Enabled = false })

	s := b.create(t, "u1")
	b.settle(t)
	on := true
	_, err := b.api.UpdateDestination(t.Context(), switched.ID, didit.UpdateDestinationRequest{Enabled: &on})
	require.NoError(t, err)
	require.NoError(t, b.SetStatus(s.ID, didit.StatusInProgress))
	b.settle(t)
	assert.Equal(t, []string{"Not Started", "In Progress"}, main.statuses())
	assert.Equal(t, []string{"Not Started", "Not Started", "In Progress"}, second.statuses(), "with a retry of its own")
	assert.Empty(t, deaf.hooks())
	assert.Equal(t, []string{"In Progress"}, off.statuses())
	verified(t, main, secret)
	verified(t, second, d.Secret.Reveal())
	assert.Equal(t, main.hooks()[0].body["event_id"], second.hooks()[0].body["event_id"])

	read, err := b.api.GetDestination(t.Context(), d.ID)
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 1}, []int64{read.Deliveries, read.Failed})
	assert.Len(t, b.Deliveries(), 6)

	all, err := b.api.ListDestinations(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 4)
	assert.Equal(t, main.url, all[0].URL, "that of the options counts as one")
	_, err = b.api.CreateDestination(t.Context(), destination(main.url))
	assert.Equal(t, 400, refusal(t, err).StatusCode)
	first, err := b.api.GetDestination(t.Context(), all[0].ID)
	require.NoError(t, err)
	assert.Equal(t, secret, first.Secret.Reveal())
}

func TestARegisteredApplicationHasItsOwnWebhooks(t *testing.T) {
	main, own := receive(t, nil), receive(t, nil)
	b := start(t, diditsim.Options{WebhookURL: main.url, WebhookSecret: secret})
	account, c := b.open(t, inbox)
	_, err := c.CreateDestination(t.Context(), destination(own.url))
	require.NoError(t, err)
	_, err = c.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, VendorData: "u1"})
	require.NoError(t, err)
	b.settle(t)
	assert.Empty(t, main.hooks())
	require.Len(t, own.hooks(), 1)
	assert.Equal(t, account.ApplicationID, own.hooks()[0].body["application_id"])
}

func TestAResendGoesToAllDestinations(t *testing.T) {
	one, two := receive(t, nil), receive(t, nil)
	b := start(t, diditsim.Options{})
	s := b.create(t, "u1")
	require.ErrorIs(t, b.Resend(s.ID), diditsim.ErrNoDestination)
	silent := destination("https://silent.example")
	silent.Enabled = false
	_, err := b.api.CreateDestination(t.Context(), silent)
	require.NoError(t, err)
	require.ErrorIs(t, b.Resend(s.ID), diditsim.ErrNoDestination, "the only one is switched off")
	for _, r := range []*receiver{one, two} {
		_, err := b.api.CreateDestination(t.Context(), destination(r.url))
		require.NoError(t, err)
	}
	require.NoError(t, b.Resend(s.ID))
	b.settle(t)
	assert.Len(t, one.hooks(), 1)
	assert.Len(t, two.hooks(), 1)
}
