package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/internal/doctor"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

const (
	apiKey    = "0123456789-the-key-of-the-simulator"
	flowID    = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	otherFlow = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	secret    = "0123456789-the-secret-of-the-webhook"
	another   = "0123456789-another-secret-that-is-unused"
)

// clinic is a healthy system but for Temporal, which has tests of its own: a simulated Didit and the real receiver.
type clinic struct {
	t    *testing.T
	sim  *diditsim.Server
	env  map[string]string
	o    doctor.Options
	hook string
}

func newClinic(t *testing.T, o diditsim.Options) *clinic {
	t.Helper()
	c := &clinic{t: t}
	c.hook = c.receiver(receiver.Options{}, secret)
	o.APIKey, o.WorkflowIDs = apiKey, []string{flowID}
	if o.WebhookURL == "" {
		o.WebhookURL, o.WebhookSecret = c.hook, secret
	}
	c.sim = diditsim.New(o)
	t.Cleanup(c.sim.Close)
	api := httptest.NewServer(c.sim)
	t.Cleanup(api.Close)
	c.env = map[string]string{
		"DIDIT_API_KEY": apiKey, "DIDIT_WORKFLOW_ID": flowID, "DIDIT_WEBHOOK_SECRETS": secret, "DIDIT_BASE_URL": api.URL,
	}
	c.o = doctor.Options{
		Getenv: func(name string) string { return c.env[name] }, WebhookURL: c.hook, Now: time.Now,
		Metrics:  []string{c.metrics(config.Published{}, config.Published{})},
		Temporal: func() (client.Options, error) { return client.Options{}, errors.New("not the subject") },
	}
	return c
}

// metrics serves what a worker and a webhook publish that are set as the environment here, but for what is given.
func (c *clinic) metrics(worker, webhook config.Published) string {
	c.t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		both := prometheus.NewRegistry()
		a, _ := config.ForWorker(c.o.Getenv)
		b, _ := config.ForWebhook(c.o.Getenv)
		for _, p := range []config.Published{over(a.Published("default"), worker), over(b.Published("default"), webhook)} {
			both.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kyc_settings_info", ConstLabels: p.Labels()}, func() float64 { return 1 }))
		}
		promhttp.HandlerFor(both, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	srv := httptest.NewServer(mux)
	c.t.Cleanup(srv.Close)
	return srv.URL
}

// over replaces the fields that other has.
func over(p, other config.Published) config.Published {
	labels := p.Labels()
	for name, value := range other.Labels() {
		if value != "" {
			labels[name] = value
		}
	}
	return config.PublishedFrom(labels)
}

// receiver serves the webhook and returns its URL.
func (c *clinic) receiver(o receiver.Options, secret string) string {
	c.t.Helper()
	v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Tolerance: 6 * time.Minute})
	require.NoError(c.t, err)
	o.Verifier, o.Deliverer, o.Environment, o.MaxBody, o.Log = v, noDeliverer{}, didit.EnvironmentLive, 1<<20, slog.New(slog.DiscardHandler)
	srv := httptest.NewServer(receiver.New(o).Handler())
	c.t.Cleanup(srv.Close)
	return srv.URL + receiver.Path
}

// noDeliverer accepts every event.
type noDeliverer struct{}

func (noDeliverer) Deliver(context.Context, string, kyc.DiditEvent, kyc.Origin) (kyc.DeliverResult, error) {
	return kyc.DeliveredForeign, nil
}

// client is a client with the right key.
func (c *clinic) client() *didit.Client {
	c.t.Helper()
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: c.env["DIDIT_BASE_URL"], APIKey: apiKey})
	require.NoError(c.t, err)
	return api
}

func (c *clinic) session() {
	c.t.Helper()
	_, err := c.client().CreateSession(c.t.Context(), didit.CreateSessionRequest{WorkflowID: flowID, VendorData: "u1"})
	require.NoError(c.t, err)
}

// examine returns the findings but Temporal's, by check, and makes sure that nothing secret is in them.
func (c *clinic) examine() map[string][]doctor.Finding {
	c.t.Helper()
	byCheck := map[string][]doctor.Finding{}
	for _, f := range doctor.Run(c.t.Context(), c.o) {
		assert.NotEmpty(c.t, f.Found, f.Check)
		assert.Equal(c.t, f.Status == doctor.Failed || f.Status == doctor.Warning, f.Fix != "", "%s: who complains says what to do", f.Check)
		for _, s := range []string{apiKey, secret, another} {
			assert.NotContains(c.t, f.Found+f.Fix, s)
		}
		if f.Check != "temporal" {
			byCheck[f.Check] = append(byCheck[f.Check], f)
		}
	}
	return byCheck
}

// bad returns what is not well, one "check: found -> fix" each.
func (c *clinic) bad() string {
	c.t.Helper()
	var b strings.Builder
	for _, all := range c.examine() {
		for _, f := range all {
			if f.Status == doctor.Failed || f.Status == doctor.Warning {
				fmt.Fprintf(&b, "%s %s: %s -> %s\n", f.Status, f.Check, f.Found, f.Fix)
			}
		}
	}
	return b.String()
}

func TestAHealthySystem(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	c.session()
	c.o.PublicURL = c.hook
	found := c.examine()
	for _, check := range []string{
		"settings", "didit address", "didit answers", "clock and Didit's", "didit key", "didit environment", "didit workflow", "didit balance",
		"webhook destination", "webhook secret", "webhook from outside", "webhook takes events", "webhook refuses forgeries", "largest webhook",
	} {
		require.Len(t, found[check], 1, check)
		assert.Equal(t, doctor.OK, found[check][0].Status, "%s: %s", check, found[check][0].Found)
	}
	require.Len(t, found["settings of running processes"], 2)
	for _, f := range found["settings of running processes"] {
		assert.Equal(t, doctor.OK, f.Status, f.Found)
	}
	assert.Contains(t, found["settings"][0].Found, "SESSION_CAP", "what is unset is reported")
}

func TestNothingIsChangedAtDidit(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	_ = c.examine()
	for call := range c.sim.Calls() {
		assert.Regexp(t, "^GET ", call.Endpoint)
	}
	assert.Empty(t, c.sim.Sessions())
}

// Each row is one fault in a healthy system: the doctor finds it, and nothing else that is not its consequence.
func TestPlantedFaults(t *testing.T) {
	off, v2 := false, "v2"
	for name, tc := range map[string]struct {
		options diditsim.Options
		plant   func(c *clinic)
		want    string // one finding
		fix     string // how
	}{
		"an unset secret":           {plant: func(c *clinic) { delete(c.env, "DIDIT_WEBHOOK_SECRETS") }, want: "failed settings: DIDIT_WEBHOOK_SECRETS is not set", fix: "`starter setup didit` reads it"},
		"a setting that is wrong":   {plant: func(c *clinic) { c.env["SESSION_CAP"] = "many" }, want: `failed settings: SESSION_CAP="many"`, fix: "or remove it to get its default"},
		"a token that is wrong":     {plant: func(c *clinic) { c.env["STARTER_TOKENS"] = "shop" }, want: "failed settings: STARTER_TOKENS has no name:token", fix: "correct STARTER_TOKENS"},
		"a wrong key":               {plant: func(c *clinic) { c.env["DIDIT_API_KEY"] = another }, want: "failed didit key: Didit refuses the key", fix: "check DIDIT_API_KEY"},
		"no answer at Didit":        {plant: func(c *clinic) { c.env["DIDIT_BASE_URL"] = "http://127.0.0.1:1" }, want: "failed didit answers: http://127.0.0.1:1 does not answer", fix: "check DIDIT_BASE_URL and the network"},
		"an unknown host":           {plant: func(c *clinic) { c.env["DIDIT_BASE_URL"] = "https://didit.invalid" }, want: "failed didit answers", fix: "DNS does not know that host"},
		"TLS where there is none":   {plant: func(c *clinic) { c.env["DIDIT_BASE_URL"] = "https" + c.env["DIDIT_BASE_URL"][4:] }, want: "failed didit answers", fix: "does not speak TLS"},
		"a version in the address":  {plant: func(c *clinic) { c.env["DIDIT_BASE_URL"] += "/v3/" }, want: "failed didit address", fix: "remove /v3 from DIDIT_BASE_URL"},
		"a flow of another account": {plant: func(c *clinic) { c.env["DIDIT_WORKFLOW_ID"] = otherFlow }, want: "failed didit workflow: Didit does not know " + otherFlow, fix: "one of the account: " + flowID},
		"no credit":                 {plant: func(c *clinic) { c.sim.SetBalance("0.0000") }, want: "failed didit balance: 0.0000", fix: "top up"},
		"the other environment": {options: diditsim.Options{Environment: didit.EnvironmentSandbox}, plant: (*clinic).session,
			want: "failed didit environment: the key's sessions are sandbox, DIDIT_ENVIRONMENT is live", fix: "set DIDIT_ENVIRONMENT=sandbox"},
		"an exhausted limit": {options: diditsim.Options{Limits: diditsim.Limits{Reads: 1}}, plant: (*clinic).key, want: "failed didit key: didit: list sessions: status 429", fix: "wait"},
		"a destination that is switched off": {plant: func(c *clinic) { c.update(didit.UpdateDestinationRequest{Enabled: &off}) },
			want: "is disabled", fix: "`starter setup didit --url"},
		"a destination of another version": {plant: func(c *clinic) { c.update(didit.UpdateDestinationRequest{Version: &v2}) },
			want: "has version v2, want v3", fix: "`starter setup didit --url"},
		"a destination that wants other events": {plant: func(c *clinic) { c.update(didit.UpdateDestinationRequest{Events: []string{didit.EventDataUpdated}}) },
			want: "is not subscribed to status.updated", fix: "keeps its other events"},
		"a destination for another URL": {plant: func(c *clinic) { c.o.PublicURL = "http://127.0.0.1:1/webhooks/didit" },
			want: "failed webhook destination: none of the 1 at Didit", fix: "`starter setup didit --url http://127.0.0.1:1/webhooks/didit` makes it"},
		"a secret that was replaced at Didit": {plant: func(c *clinic) { c.sim.SetWebhook(c.hook, another) },
			want: "failed webhook secret", fix: "adds it; then start the webhook again"},
		"a webhook with another secret": {plant: func(c *clinic) { c.o.WebhookURL = c.receiver(receiver.Options{}, another) },
			want: "answers 403 to a signed test event: it runs with other secrets", fix: "give the webhook the DIDIT_WEBHOOK_SECRETS"},
		"a webhook that is not there": {plant: func(c *clinic) { c.o.WebhookURL = "http://127.0.0.1:1/webhooks/didit" },
			want: "failed webhook takes events: http://127.0.0.1:1/webhooks/didit does not answer", fix: "start the webhook"},
		"a path that is wrong": {plant: func(c *clinic) { c.o.WebhookURL += "s" }, want: "answers 404", fix: "want the path /webhooks/didit"},
		"another program on the port": {plant: func(c *clinic) { c.o.WebhookURL = landingPage(c.t) },
			want: "not as our webhook does", fix: "another program listens there"},
		"a clock that is a bit off": {plant: func(c *clinic) { c.sim.SetClockOffset(-time.Minute) }, want: "warning clock and Didit's: this machine is 1m0s ahead", fix: "synchronize the clock"},
		"a clock that is far off":   {plant: func(c *clinic) { c.sim.SetClockOffset(time.Hour) }, want: "failed clock and Didit's: this machine is 1h0m0s behind", fix: "synchronize the clock"},
		"a clock that is off here": {plant: func(c *clinic) { c.o.Now = func() time.Time { return time.Now().Add(-7 * time.Minute) } },
			want: "failed webhook takes events: " + "%s answers 403 to a signed test event: its clock and ours differ", fix: "synchronize the clock"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, tc.options)
			tc.plant(c)
			got := c.bad()
			want := strings.ReplaceAll(tc.want, "%s", c.hook)
			var line string
			for l := range strings.Lines(got) {
				if strings.Contains(l, want) {
					line = l
				}
			}
			require.NotEmpty(t, line, "not found; what was found:\n%s", got)
			_, fix, _ := strings.Cut(line, " -> ")
			assert.Contains(t, fix, tc.fix)
		})
	}
}

// key uses the key once.
func (c *clinic) key() {
	_, err := c.client().Balance(c.t.Context())
	require.NoError(c.t, err)
}

// update changes the only destination.
func (c *clinic) update(r didit.UpdateDestinationRequest) {
	c.t.Helper()
	all, err := c.client().ListDestinations(c.t.Context())
	require.NoError(c.t, err)
	_, err = c.client().UpdateDestination(c.t.Context(), all[0].ID, r)
	require.NoError(c.t, err)
}
