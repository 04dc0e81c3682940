package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/doctor"
	"didit-temporal/webhook/receiver"
)

// landingPage answers 200 to everything, as a web server with a landing page does.
func landingPage(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(srv.Close)
	return srv.URL + doctor.WebhookPath
}

func TestWhatTakesForgeriesIsFound(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"received"}`)) }))
	t.Cleanup(srv.Close)
	c.o.WebhookURL = srv.URL
	assert.Equal(t, doctor.Failed, c.examine()["webhook refuses forgeries"][0].Status)
}

// Two marks, either of which is enough for our webhook: nothing may come of the event.
func TestTheEventIsMarkedAsATestTwice(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	marked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Header.Get(didit.HeaderTest) == "true" && strings.Contains(string(body), `"metadata":{"test_webhook":true}`) {
			marked++
		}
	}))
	t.Cleanup(srv.Close)
	c.o.WebhookURL = srv.URL
	_ = c.examine()
	assert.Equal(t, 3, marked, "the signed one, the forged one and the largest")
}

func TestAFlowThatIsNotPublishedIsAFault(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	draft := `[{"uuid":"` + otherFlow + `","workflow_id":"` + flowID + `","workflow_label":"KYC","status":"draft"}]`
	c.sim.FailNext("GET", "/v3/workflows/", diditsim.Fault{Status: http.StatusOK, Body: draft})
	assert.Contains(t, c.bad(), `failed didit workflow: `+flowID+`, "KYC", is not published or is archived -> publish it`)
}

// No redirect is followed: the key must not travel.
func TestARedirectIsAFault(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(elsewhere.Close)
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusMovedPermanently))
	t.Cleanup(srv.Close)
	c.env["DIDIT_BASE_URL"] = srv.URL
	assert.Contains(t, c.bad(), "redirects (status 301)")
	assert.Zero(t, asked)
}

func TestAKeyWithFewRightsIsNoFault(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	for _, path := range []string{"/v3/workflows/", "/v3/billing/", "/v3/webhook/"} {
		c.sim.FailNext("GET", path, diditsim.Fault{Status: http.StatusForbidden})
	}
	found := c.examine()
	for _, check := range []string{"didit workflow", "didit balance", "webhook destination"} {
		require.Len(t, found[check], 1, check)
		assert.Equal(t, doctor.Skipped, found[check][0].Status, check)
		assert.Contains(t, found[check][0].Found, "the key has no right to")
	}
	assert.Empty(t, c.bad())
}

func TestAWebhookThatListensToDiditOnlyIsNoFault(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	c.o.WebhookURL = c.receiver(receiver.Options{AllowFrom: []netip.Prefix{netip.MustParsePrefix("18.203.201.92/32")}}, secret)
	found := c.examine()["webhook takes events"][0]
	assert.Equal(t, doctor.Skipped, found.Status)
	assert.Contains(t, found.Found, "WEBHOOK_ALLOW_FROM")
}

func TestWhereOnlyTheWorkerRunsNoWebhookIsNoFault(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	c.o.WebhookURL, c.env["WEBHOOK_ADDR"], c.o.Process = "", "127.0.0.1:1", "worker"
	assert.Equal(t, doctor.Skipped, c.examine()["webhook takes events"][0].Status)
}

func TestURLsThatAreTheSame(t *testing.T) {
	const ours = "https://kyc.shop.example/webhooks/didit"
	for other, same := range map[string]bool{
		"HTTPS://KYC.shop.example:443/webhooks/didit": true, "https://kyc.shop.example/webhooks/didit/": false,
		"http://kyc.shop.example/webhooks/didit": false, "https://kyc.shop.example:8443/webhooks/didit": false, "%": false,
	} {
		assert.Equal(t, same, doctor.SameURL(ours, other), other)
	}
}
