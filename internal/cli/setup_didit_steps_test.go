package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/doctor"
	"didit-temporal/webhook/receiver"
)

const (
	ourKey   = "0123456789-the-key-of-the-simulator"
	otherKey = "0123456789-the-key-of-another-account"
	twoFlow  = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// withKey is an account that was opened before, whose key is in the file.
func withKey(t *testing.T, more string) *account {
	t.Helper()
	a := newAccount(t, diditsim.Options{APIKey: ourKey, WorkflowIDs: []string{oneFlow}})
	a.write("DIDIT_API_KEY=" + ourKey + "\n" + more)
	return a
}

func (a *account) client() *didit.Client {
	a.t.Helper()
	c, err := didit.NewClient(didit.ClientOptions{BaseURL: a.url, APIKey: ourKey})
	require.NoError(a.t, err)
	return c
}

func TestTheWebhookListensAtThePathOfSetup(t *testing.T) {
	assert.Equal(t, receiver.Path, doctor.WebhookPath)
}

func TestWhatTheFileHasIsKept(t *testing.T) {
	a := withKey(t, "# mine\nSESSION_CAP=7 # seven\nDIDIT_WEBHOOK_SECRETS=an-older-secret-0123456789\nPOSTGRES_PASSWORD='x y'\n")
	require.NoError(t, os.Chmod(a.path, 0o644))
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	a.complete()
	content, err := os.ReadFile(a.path)
	require.NoError(t, err)
	assert.Contains(t, string(content), "# mine\nSESSION_CAP=7 # seven\nDIDIT_WEBHOOK_SECRETS=an-older-secret-0123456789,")
	assert.Contains(t, string(content), "POSTGRES_PASSWORD='x y'\n")
	assert.Contains(t, a.out.String(), "(mode 0644): its mode is 0600 now")
	a.noSecrets("an-older-secret-0123456789")
}

func TestADestinationIsCompletedAndItsOtherEventsStay(t *testing.T) {
	a := withKey(t, "")
	made, err := a.client().CreateDestination(t.Context(), didit.CreateDestinationRequest{
		Label: "by hand", URL: "https://KYC.shop.example:443/webhooks/didit", Version: "v2", Events: []string{didit.EventDataUpdated},
	})
	require.NoError(t, err)
	require.False(t, made.Enabled)
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	a.complete()
	now, err := a.client().GetDestination(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{didit.EventDataUpdated, didit.EventStatusUpdated}, now.Events)
	assert.Equal(t, "by hand", now.Label)
	assert.Contains(t, a.out.String(), "now it is enabled, of version v3, subscribed to status.updated")
}

func TestALostAnswerToTheDestination(t *testing.T) {
	a := withKey(t, "")
	a.sim.FailNext("POST", "/v3/webhook/destinations/", diditsim.Fault{Kind: diditsim.CommitThenHangUp})
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	assert.Equal(t, 1, a.sim.CallCount(diditsim.EndpointCreateDestination))
	a.complete()
}

func TestADestinationThatCannotBeMadeIsLeftForTheNextRun(t *testing.T) {
	a := withKey(t, "")
	a.sim.FailNext("POST", "/v3/webhook/destinations/", diditsim.Fault{Status: 503})
	require.ErrorContains(t, a.setup(t.Context(), "--url", ourURL), "run the command again for the rest")
	assert.Equal(t, oneFlow, a.read().Get("DIDIT_WORKFLOW_ID"), "the other step was done")
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	a.complete()
}

func TestASecretThatDiditDoesNotShow(t *testing.T) {
	a := withKey(t, "")
	d, err := a.client().CreateDestination(t.Context(), didit.CreateDestinationRequest{
		Label: "x", URL: ourURL, Enabled: true, Events: []string{didit.EventStatusUpdated},
	})
	require.NoError(t, err)
	a.sim.FailNext("GET", "/v3/webhook/destinations/"+d.ID, diditsim.Fault{Status: 200, Body: `{"uuid":"` + d.ID + `","url":"` + ourURL + `"}`})
	require.ErrorContains(t, a.setup(t.Context(), "--url", ourURL), "Didit does not show its secret to this key")
}

func TestThePublicSecretGoesWhenItIsLive(t *testing.T) {
	const public = "DIDIT_WEBHOOK_SECRETS=simulator-secret-that-is-public\n"
	a := withKey(t, public)
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	a.complete()
	assert.NotContains(t, a.read().Get("DIDIT_WEBHOOK_SECRETS"), "simulator-")
	a = withKey(t, public)
	require.NoError(t, a.setup(t.Context(), "--url", ourURL, "--environment", "sandbox"))
	a.complete()
	assert.Contains(t, a.read().Get("DIDIT_WEBHOOK_SECRETS"), "simulator-secret-that-is-public,")
}

func TestFlows(t *testing.T) {
	for name, tc := range map[string]struct {
		flows      []string
		flag, want string
	}{
		"the only one":        {[]string{oneFlow}, "", ""},
		"one of two":          {[]string{oneFlow, twoFlow}, "", "choose one with --workflow-id ID\n  " + oneFlow},
		"the one asked for":   {[]string{oneFlow, twoFlow}, strings.ToUpper(oneFlow), ""},
		"one that is not":     {[]string{oneFlow}, twoFlow, "has no published workflow " + twoFlow},
		"one that is no UUID": {[]string{oneFlow}, "kyc", "--workflow-id is not a UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, diditsim.Options{APIKey: ourKey, WorkflowIDs: tc.flows})
			a.write("DIDIT_API_KEY=" + ourKey + "\n")
			args := []string{"--url", ourURL}
			if tc.flag != "" {
				args = append(args, "--workflow-id", tc.flag)
			}
			err := a.setup(t.Context(), args...)
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				assert.NotEmpty(t, a.read().Get("DIDIT_WEBHOOK_SECRETS"), "the other step was done")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, oneFlow, a.read().Get("DIDIT_WORKFLOW_ID"))
		})
	}
	_, err := chooseFlow([]didit.Flow{{ID: oneFlow, Status: "draft"}, {ID: twoFlow, Archived: true}}, "")
	require.ErrorIs(t, err, errNoFlow)
	f, err := chooseFlow([]didit.Flow{{ID: oneFlow, Version: 2, Status: "published"}, {ID: oneFlow, Version: 1, Status: "published"}}, "")
	require.NoError(t, err, "two versions are one flow")
	assert.Equal(t, 2, f.Version)
}

func TestAKeyThatIsRefused(t *testing.T) {
	a := withKey(t, "")
	a.write("DIDIT_API_KEY=" + otherKey + "\n")
	err := a.setup(t.Context(), "--url", ourURL)
	require.ErrorContains(t, err, "Didit refuses the key")
	assert.NotContains(t, err.Error(), otherKey)
}

func TestAKeyInAFileOfItsOwn(t *testing.T) {
	a := withKey(t, "")
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(ourKey+"\n"), 0o600))
	a.write("DIDIT_API_KEY_FILE=" + path + "\n")
	require.NoError(t, a.setup(t.Context(), "--url", ourURL))
	assert.Empty(t, a.read().Get("DIDIT_API_KEY"))
	a.write("DIDIT_API_KEY_FILE=" + path + "\nDIDIT_WEBHOOK_SECRETS_FILE=" + path + "\n")
	require.ErrorContains(t, a.setup(t.Context(), "--url", ourURL), "DIDIT_WEBHOOK_SECRETS_FILE is set")
}

func TestWhatTheEnvironmentHasIsWritten(t *testing.T) {
	a := withKey(t, "")
	require.NoError(t, os.Remove(a.path))
	a.environ["DIDIT_API_KEY"], a.environ["DIDIT_WORKFLOW_ID"], a.environ["DIDIT_WEBHOOK_SECRETS"] = ourKey, oneFlow, "an-older-secret-0123456789"
	require.NoError(t, a.setup(t.Context()))
	assert.Equal(t, ourKey, a.read().Get("DIDIT_API_KEY"))
	assert.Equal(t, oneFlow, a.read().Get("DIDIT_WORKFLOW_ID"))
	assert.Equal(t, "an-older-secret-0123456789", a.read().Get("DIDIT_WEBHOOK_SECRETS"))
	a.noSecrets(ourKey, "an-older-secret-0123456789")
}

func TestWithoutAURLTheRestIsDone(t *testing.T) {
	a := withKey(t, "")
	require.ErrorContains(t, a.setup(t.Context()), "give --url https://HOST/webhooks/didit")
	assert.Equal(t, oneFlow, a.read().Get("DIDIT_WORKFLOW_ID"))
}

func TestWebhookURLs(t *testing.T) {
	for url, want := range map[string]string{
		ourURL:                           "",
		"http://kyc.shop.example/x":      "run a tunnel",
		"https://localhost:8080/x":       "run a tunnel",
		"https://10.1.2.3/x":             "run a tunnel",
		"https://[::1]/x":                "run a tunnel",
		"https://webhook/x":              "run a tunnel",
		"https://kyc.shop.example":       "no path",
		"kyc.shop.example/x":             "not an absolute URL",
		"https://u:hunter2@shop.example": "has a user",
	} {
		err := checkWebhookURL(url, true)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want, url)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	require.NoError(t, checkWebhookURL("http://127.0.0.1:8080/webhooks/didit", false), "a simulator takes everything")
}
