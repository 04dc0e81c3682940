package doctor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/internal/doctor"
	"didit-temporal/webhook/receiver"
)

// answering is an endpoint that answers every request so.
func answering(t *testing.T, code int, header ...string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Each system has valid settings here: the fault is in a running process, or in a proxy.
func TestWhatOnlyRunningProcessesCanSay(t *testing.T) {
	otherURL := func(c *clinic, url string) { // destination and --url are the same, and both are wrong
		c.sim.SetWebhook(url, secret)
		c.o.PublicURL = url
	}
	for name, tc := range map[string]struct {
		plant func(c *clinic)
		want  string
		fix   string
	}{
		"a typing mistake in the URL, at Didit too": {func(c *clinic) { otherURL(c, c.hook+"s") },
			"failed webhook from outside", "correct the path"},
		"a URL that redirects": {func(c *clinic) {
			otherURL(c, answering(c.t, http.StatusPermanentRedirect, "Location", c.hook)+receiver.Path)
		},
			"Didit follows no redirect, so every webhook is lost", "the address that does not redirect"},
		"a host that answers any request": {func(c *clinic) { otherURL(c, landingPage(c.t)) },
			"Didit counts that as delivered", "route the host to the webhook process"},
		"a webhook of the other environment": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{}, config.Published{Environment: "sandbox"})}
		}, "webhook has DIDIT_ENVIRONMENT sandbox, here it is live", "start it again"},
		"a webhook of another deployment": {func(c *clinic) {
			c.env["KYC_DEPLOYMENT"] = "production"
			c.o.Metrics = []string{c.metrics(config.Published{}, config.Published{Deployment: "staging"})}
		}, "webhook has KYC_DEPLOYMENT staging, here it is production", "start it again"},
		"a worker that was started before it had a deployment": {func(c *clinic) {
			c.env["KYC_DEPLOYMENT"] = "production"
			c.o.Metrics = []string{c.metrics(config.Published{Deployment: "default"}, config.Published{})}
		}, "worker has KYC_DEPLOYMENT default, here it is production", "start it again"},
		"a worker with another flow": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{WorkflowID: otherFlow}, config.Published{})}
		}, "worker has DIDIT_WORKFLOW_ID " + otherFlow, "start it again"},
		"a worker with a key that was replaced": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{APIKey: config.Fingerprint(config.NewSecret(another))}, config.Published{})}
		}, "worker has a DIDIT_API_KEY with the fingerprint", "start it again"},
		"a webhook with another secret": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{}, config.Published{WebhookSecrets: "0a0a0a"})}
		}, "webhook does not have the first of the DIDIT_WEBHOOK_SECRETS here", "start it again"},
		"only the worker has a payload key": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{PayloadKeys: "k1"}, config.Published{Process: "starter"})}
		}, "starter lacks the payload key k1", "start it again"},
		"another worker, with other settings": {func(c *clinic) {
			c.o.Metrics = append(c.o.Metrics, c.metrics(config.Published{Environment: "sandbox"}, config.Published{}))
		}, "worker has DIDIT_ENVIRONMENT sandbox", "start it again"},
		"a webhook of another version": {func(c *clinic) {
			c.o.Metrics = []string{c.metrics(config.Published{Version: "v1"}, config.Published{Version: "v2"})}
		}, "warning versions of running processes: v1: worker; v2: webhook", "workers first"},
		"a process that cannot be asked": {func(c *clinic) { c.o.Metrics = []string{"http://127.0.0.1:1"} },
			"failed settings of running processes: no worker publishes its settings", "correct --metrics"},
		"a Prometheus that is none": {func(c *clinic) { c.o.Metrics, c.o.Prometheus = nil, answering(c.t, http.StatusOK) },
			"not the answer of a Prometheus", "correct --metrics and --prometheus"},
		"no webhook, and no URL": {func(c *clinic) { c.o.WebhookURL = ""; c.env["WEBHOOK_ADDR"] = "127.0.0.1:1" },
			"failed webhook takes events: nothing listens at http://127.0.0.1:1/webhooks/didit", "--process worker"},
		"a proxy that takes less than we do": {func(c *clinic) { c.o.WebhookURL = lessThan(c.t, c.hook, 64<<10) },
			"failed largest webhook", "configure the proxy in front to accept WEBHOOK_MAX_BODY"},
		"a callback endpoint that is down": {func(c *clinic) { c.results("http://127.0.0.1:1/results?password=" + another) },
			"failed callback endpoint: RESULT_URL does not answer", "start the endpoint"},
		"a callback endpoint that fails": {func(c *clinic) { c.results(answering(c.t, http.StatusServiceUnavailable)) },
			"failed callback endpoint: it answers 503 to a POST", "see the log of your endpoint"},
		"a callback endpoint that accepts any sender": {func(c *clinic) { c.results(answering(c.t, http.StatusOK)) },
			"warning callback endpoint: it answers 200 to an unsigned message", "verify the signature"},
		"an API with other tokens": {func(c *clinic) { c.api(answering(c.t, http.StatusUnauthorized)) },
			"failed http api", "give it the STARTER_TOKENS"},
		"no API": {func(c *clinic) { c.api("http://127.0.0.1:1") }, "failed http api: http://127.0.0.1:1 does not answer", "starter serve"},
		"another program in the API's place": {func(c *clinic) { c.api(answering(c.t, http.StatusOK)) },
			"not as our API does", "check --api-url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, diditsim.Options{})
			tc.plant(c)
			c.finds(tc.want, tc.fix)
		})
	}
}

// finds wants one complaint with a cause and what to do.
func (c *clinic) finds(want, fix string) {
	c.t.Helper()
	got := c.bad()
	for line := range strings.Lines(got) {
		if found, how, _ := strings.Cut(line, " -> "); strings.Contains(found, want) && strings.Contains(how, fix) {
			return
		}
	}
	c.t.Errorf("no %q -> %q; what was found:\n%s", want, fix, got)
}

func (c *clinic) results(url string) {
	c.env["RESULT_URL"], c.env["RESULT_SECRETS"] = url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
}

func (c *clinic) api(url string) {
	c.env["STARTER_TOKENS"], c.o.APIURL = "shop:0123456789-a-token-that-is-unused", url
}

// lessThan leads to target what has fewer bytes.
func lessThan(t *testing.T, target string, limit int64) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target, r.Body)
		if err != nil {
			panic(err)
		}
		req.Header, req.ContentLength = r.Header, r.ContentLength
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(err)
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		var body [1024]byte
		n, _ := res.Body.Read(body[:])
		_, _ = w.Write(body[:n])
	}))
	t.Cleanup(srv.Close)
	return srv.URL + receiver.Path
}

// A Prometheus knows all processes of a cluster at once.
func TestSettingsAreReadFromAPrometheusToo(t *testing.T) {
	c := newClinic(t, diditsim.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/api/v1/query", r.URL.Path)
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"__name__":"kyc_settings_info","process":"worker","environment":"sandbox"},"value":[1,"1"]},
			{"metric":{"__name__":"kyc_settings_info","process":"webhook","environment":"live"},"value":[1,"1"]}]}}`)
	}))
	t.Cleanup(srv.Close)
	c.o.Metrics, c.o.Prometheus = nil, srv.URL
	c.finds("worker has DIDIT_ENVIRONMENT sandbox", "start it again")
}

// What a process publishes distinguishes two secrets and reveals neither.
func TestFingerprintsAreShort(t *testing.T) {
	a, b := config.Fingerprint(config.NewSecret(secret)), config.Fingerprint(config.NewSecret(another))
	assert.Len(t, a, 6)
	assert.NotEqual(t, a, b)
	assert.Empty(t, config.Fingerprint(config.Secret{}))
	assert.Equal(t, doctor.OK, newClinic(t, diditsim.Options{}).examine()["settings of running processes"][0].Status)
}
