package cli

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/internal/envfile"
)

const (
	newEmail    = "ops@kyc.internal"
	newPassword = "hunter2-Str0ng!"
	ourURL      = "https://kyc.shop.example/webhooks/didit"
	oneFlow     = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// account is a simulated Didit and an env file beside it.
type account struct {
	t       *testing.T
	sim     *diditsim.Server
	url     string
	path    string
	environ map[string]string
	stdin   io.Reader
	out     bytes.Buffer // stdout and stderr
}

func newAccount(t *testing.T, o diditsim.Options) *account {
	t.Helper()
	a := &account{t: t, sim: diditsim.New(o), path: filepath.Join(t.TempDir(), ".env"), stdin: strings.NewReader("")}
	t.Cleanup(a.sim.Close)
	srv := httptest.NewServer(a.sim)
	t.Cleanup(srv.Close)
	a.url = srv.URL
	a.environ = map[string]string{"DIDIT_BASE_URL": srv.URL, "DIDIT_ACCOUNT_URL": srv.URL + diditsim.AccountPath}
	return a
}

// setup runs `starter setup didit` with further flags.
func (a *account) setup(ctx context.Context, args ...string) error {
	t := &tool{
		stdin: a.stdin, stdout: &a.out, stderr: &a.out, now: time.Now, after: time.After,
		getenv: func(name string) string { return a.environ[name] },
		dial:   func(context.Context) (verifications, error) { return nil, errNotDialled },
	}
	return t.run(ctx, append([]string{"setup", "didit", "--env-file", a.path}, args...))
}

func (a *account) write(content string) {
	a.t.Helper()
	require.NoError(a.t, os.WriteFile(a.path, []byte(content), 0o600))
}

func (a *account) read() *envfile.File {
	a.t.Helper()
	f, err := envfile.Load(a.path)
	require.NoError(a.t, err)
	return f
}

func (a *account) passwordFile() string {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), "password")
	require.NoError(a.t, os.WriteFile(path, []byte(newPassword+"\n"), 0o600))
	return path
}

// person answers prompts: whenever something is read, the next answer is made.
type person struct {
	answers []func() string
	rest    []byte
}

func (p *person) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		if len(p.answers) == 0 {
			return 0, io.EOF
		}
		p.rest, p.answers = []byte(p.answers[0]()+"\n"), p.answers[1:]
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func says(text string) func() string { return func() string { return text } }

// inbox reads the newest code.
func (a *account) inbox() string {
	code, _ := a.sim.LastCode(newEmail)
	return code
}

// complete checks that the file has all that the processes need, for the only destination, and that nothing secret was shown.
func (a *account) complete() {
	a.t.Helper()
	f := a.read()
	w, err := config.ForWorker(f.Get)
	require.NoError(a.t, err)
	h, err := config.ForWebhook(f.Get)
	require.NoError(a.t, err)
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: a.url, APIKey: w.DiditAPIKey.Reveal()})
	require.NoError(a.t, err)
	all, err := api.ListDestinations(a.t.Context())
	require.NoError(a.t, err)
	require.Len(a.t, all, 1)
	d, err := api.GetDestination(a.t.Context(), all[0].ID)
	require.NoError(a.t, err)
	assert.True(a.t, d.Enabled)
	assert.Contains(a.t, d.Events, didit.EventStatusUpdated)
	assert.Equal(a.t, didit.WebhookVersion, d.Version)
	assert.Equal(a.t, d.Secret.Reveal(), h.Secrets[len(h.Secrets)-1].Reveal())
	assert.Equal(a.t, os.FileMode(0o600), mustStat(a.t, a.path).Mode().Perm())
	a.silent(w.DiditAPIKey.Reveal(), d.Secret.Reveal())
}

// silent checks that what was printed holds no secret.
func (a *account) silent(secrets ...string) {
	a.t.Helper()
	for _, s := range append(secrets, newPassword, newEmail) {
		assert.NotContains(a.t, a.out.String(), s)
	}
}

func mustStat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info
}

func TestFromNothingToAnAccount(t *testing.T) {
	a := newAccount(t, diditsim.Options{WorkflowIDs: []string{oneFlow}})
	a.stdin = &person{answers: []func() string{says(newEmail), says(newPassword), a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--url", ourURL, "--environment", "sandbox"))
	a.complete()
	assert.Equal(t, "sandbox", a.read().Get("DIDIT_ENVIRONMENT"))
	assert.Equal(t, oneFlow, a.read().Get("DIDIT_WORKFLOW_ID"))
	assert.Equal(t, a.url, a.read().Get("DIDIT_BASE_URL"), "the processes must call whom setup has called")

	before, err := os.ReadFile(a.path)
	require.NoError(t, err)
	a.stdin = strings.NewReader("")
	require.NoError(t, a.setup(t.Context(), "--url", ourURL), "again, with nothing left to do")
	after, err := os.ReadFile(a.path)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	a.complete()
}

func TestInTwoStepsWithoutATerminal(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	err := a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--url", ourURL)
	require.ErrorContains(t, err, "give --email and --code")
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--code", a.inbox(), "--url", ourURL))
	a.complete()
}

func TestAWrongCodeIsAskedForAgain(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.stdin = &person{answers: []func() string{says("WRONG1"), says("not a code"), says(""), a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--url", ourURL))
	assert.Equal(t, 2, a.sim.CallCount(diditsim.EndpointRegister), "Enter asks for another")
	a.complete()

	a = newAccount(t, diditsim.Options{})
	a.stdin = strings.NewReader(strings.Repeat("WRONG1\n", 9))
	err := a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile())
	require.ErrorContains(t, err, "one more would lock the account")
	assert.Equal(t, 4, a.sim.CallCount(diditsim.EndpointVerifyEmail))
	require.ErrorContains(t, a.setup(t.Context(), "--email", newEmail, "--code", "WRONG1"), "without --code another is sent")
}

func TestALostAnswerToTheRegistration(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.sim.FailNext("", "/auth/v2/programmatic/register/", diditsim.Fault{Kind: diditsim.CommitThenHangUp})
	a.stdin = &person{answers: []func() string{a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--url", ourURL))
	assert.Contains(t, a.out.String(), "a code may have been sent all the same")
	assert.Equal(t, 1, a.sim.CallCount(diditsim.EndpointRegister))
	a.complete()
}

func TestALostKeyIsInTheConsole(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.sim.FailNext("", "/auth/v2/programmatic/verify-email/", diditsim.Fault{Kind: diditsim.CommitThenHangUp})
	a.stdin = &person{answers: []func() string{a.inbox}}
	flags := []string{"--email", newEmail, "--password-file", a.passwordFile(), "--url", ourURL}
	require.ErrorContains(t, a.setup(t.Context(), flags...), "take its key from Didit's console")
	// The account exists now, so that opening it again leads to the same advice.
	require.ErrorContains(t, a.setup(t.Context(), flags...), "put it into "+a.path+" as DIDIT_API_KEY=")
	a.silent()
}

func TestInterruptedAtAPrompt(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	blocked, _ := io.Pipe()
	a.stdin = io.MultiReader(&person{answers: []func() string{func() string { cancel(); return "" }}}, blocked)
	require.ErrorIs(t, a.setup(ctx, "--email", newEmail, "--password-file", a.passwordFile()), errInterrupted)
	a.stdin = &person{answers: []func() string{a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--url", ourURL))
	a.complete()
}

func TestNoAccountIsOpenedAtTheRealDiditByMistake(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	delete(a.environ, "DIDIT_ACCOUNT_URL")
	err := a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile())
	require.ErrorContains(t, err, "the simulator's is "+a.url+"/auth/v2")
}

func TestAFileThatCannotBeWrittenIsFoundBeforeAKeyIsAskedFor(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.path = filepath.Join(t.TempDir(), "no-such-folder", ".env")
	require.ErrorContains(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile()), "write the env file")
	assert.Zero(t, a.sim.CallCount(diditsim.EndpointRegister))
}

func TestRefusalsOfTheAccountAPI(t *testing.T) {
	for name, tc := range map[string]struct{ email, want string }{
		"no address":              {"hunter2", "not an e-mail address"},
		"an address without mail": {"hunter2@shop.test", "reserved: no code can arrive"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, diditsim.Options{})
			err := a.setup(t.Context(), "--email", tc.email, "--password-file", a.passwordFile())
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	a := newAccount(t, diditsim.Options{})
	a.sim.FailNext("", "/auth/v2/programmatic/register/", diditsim.Fault{})
	err := a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile())
	require.ErrorContains(t, err, "an address that can get mail?")
	require.NotErrorIs(t, err, errInterrupted)
}
