package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/certs"
	"didit-temporal/dev/harness"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/internal/ops"
)

// secured is a newcomer with an application at Didit, whose Temporal lets in only who has what extra says.
func secured(t *testing.T, o tserver.Options) *newcomer {
	t.Helper()
	n := arrive(t, options{server: o})
	n.sim.SetWebhook(n.webhookURL, secret)
	return n
}

// equip gives each program its part of the environment.
func (n *newcomer) equip(by map[string][]string) {
	didit := []string{"DIDIT_API_KEY=" + apiKey, "DIDIT_WORKFLOW_ID=" + flow, "DIDIT_WEBHOOK_SECRETS=" + secret}
	n.extra = map[string][]string{}
	for program, env := range by {
		n.extra[program] = slices.Concat(env, didit)
	}
}

// verify walks from a namespace that is set up to a verdict.
func (n *newcomer) verify() {
	n.t.Helper()
	n.serve("worker")
	n.serve("webhook")
	n.eventually(func() bool { return n.logs.contain("webhook listens") && n.logs.contain("worker runs") }, "both processes")
	said, code := n.starter("start", "--user", "u1")
	require.Equal(n.t, 0, code, said)
	n.press(sessionURL.FindString(said), "approve")
	said, code = n.starter("start", "--user", "u1", "--wait")
	require.Equal(n.t, 0, code, said)
	require.Contains(n.t, said, "approved")
	n.eventually(func() bool { return n.logs.contain("didit webhook", "received", "Approved") }, "the webhook, which Temporal has")
}

// with is what the starter says with another environment.
func (n *newcomer) with(env []string, args ...string) (string, int) {
	n.t.Helper()
	usual := n.extra["starter"]
	defer func() { n.extra["starter"] = usual }()
	n.extra["starter"] = slices.Concat(usual, env)
	return n.starter(args...)
}

// identity is the environment of a process with a certificate.
func identity(ca *certs.Authority, commonName string) []string {
	cert, key := ca.Issue(commonName)
	return append(trust(ca), "TEMPORAL_TLS_CLIENT_CERT_PATH="+cert, "TEMPORAL_TLS_CLIENT_KEY_PATH="+key)
}

// trust is the environment of a process that has no certificate, and knows the server's.
func trust(ca *certs.Authority) []string {
	return []string{"TEMPORAL_TLS_SERVER_CA_CERT_PATH=" + ca.File}
}

// A Temporal of one's own, with certificates on both sides, whose common names are roles.
func TestEachProcessHasACertificateOfItsRole(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	ca, stranger := certs.New(t), certs.New(t)
	cert, key := ca.Issue("temporal.internal")
	n := secured(t, tserver.Options{Roles: true, TLSCert: cert, TLSKey: key, TLSClientCA: ca.File})
	n.equip(map[string][]string{
		"starter": identity(ca, "kyc-operator"), "worker": identity(ca, "kyc-worker"), "webhook": identity(ca, "kyc-webhook"),
	})
	said, code := n.starter("setup")
	require.Equal(t, 0, code, said)
	n.verify()

	for name, tc := range map[string]struct {
		env []string
		do  string
	}{
		"a server of another CA":       {trust(stranger), "check TEMPORAL_TLS_SERVER_CA_CERT_PATH"},
		"a server of another name":     {[]string{"TEMPORAL_TLS_SERVER_NAME=temporal.example"}, "set TEMPORAL_TLS_SERVER_NAME"},
		"a certificate of another CA":  {slices.Concat(identity(stranger, "kyc-operator"), trust(ca)), "TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"no certificate":               {[]string{"TEMPORAL_TLS_CLIENT_CERT_PATH=", "TEMPORAL_TLS_CLIENT_KEY_PATH="}, "TEMPORAL_TLS_CLIENT_CERT_PATH"},
		"no TLS":                       {[]string{"TEMPORAL_TLS=false"}, "check whether it wants TLS"},
		"a certificate without rights": {identity(ca, "kyc-webhook"), "check TEMPORAL_API_KEY or the client certificate, and its rights"},
	} {
		n.refused(name, tc.env, tc.do)
	}
}

// What answers here as Temporal Cloud does is known by the name that TLS expects, as with a private link.
func TestWithAnAPIKeyAsAtTemporalCloud(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	const key, endpoint = "e2e-key-at-temporal", "kyc.a1b2c.tmprl.cloud"
	ca := certs.New(t)
	cert, certKey := ca.Issue(endpoint, endpoint)
	n := secured(t, tserver.Options{TLSCert: cert, TLSKey: certKey, APIKey: key})
	env := append(trust(ca), "TEMPORAL_API_KEY="+key, "TEMPORAL_TLS_SERVER_NAME="+endpoint)
	n.equip(map[string][]string{"starter": env, "worker": env, "webhook": env})

	n.Client = ops.New(harness.Dial(t, client.Options{HostPort: n.server.Internal})) // in the place of tcld
	n.remember(24 * time.Hour)
	said, code := n.starter("setup")
	require.Equal(t, 4, code, said)
	assert.Contains(t, said, "tcld namespace search-attributes add --namespace default")
	assert.Contains(t, said, `--search-attribute "KycDeadline=Datetime"`)
	assert.Contains(t, said, "tcld namespace retention set --namespace default --retention-days 30")
	said, _ = n.starter("doctor")
	assert.Contains(t, said, "tcld namespace retention set --namespace default --retention-days 30")

	n.remember(ops.WantedRetention)
	_, err := n.Setup(t.Context())
	require.NoError(t, err)
	n.eventually(func() bool {
		said, code = n.starter("setup")
		return code == 0 && !strings.Contains(said, "tcld")
	}, "what the administrator has done")
	n.verify()

	for name, wrong := range map[string]string{"another key": "e2e-key-of-nobody", "no key": ""} {
		n.refused(name, []string{"TEMPORAL_API_KEY=" + wrong}, "check TEMPORAL_API_KEY")
	}
}

// refused checks what a person reads whose environment is wrong: what to do, in a command and from the doctor.
func (n *newcomer) refused(name string, env []string, do string) {
	n.t.Helper()
	said, code := n.with(env, "status", "--user", "u1")
	assert.Equal(n.t, 4, code, name)
	assert.Contains(n.t, said, do, name)
	said, code = n.with(env, "doctor")
	assert.Equal(n.t, 6, code, name)
	assert.Contains(n.t, said, "-> ", name)
	assert.Contains(n.t, said, do, name)
}
