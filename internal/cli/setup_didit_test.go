package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	out     bytes.Buffer                                  // stdout and stderr
	stop    func(http.ResponseWriter, *http.Request) bool // takes a call away from the simulator; nil takes none
}

func newAccount(t *testing.T, o diditsim.Options) *account {
	t.Helper()
	a := &account{t: t, sim: diditsim.New(o), path: filepath.Join(t.TempDir(), ".env"), stdin: strings.NewReader("")}
	t.Cleanup(a.sim.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.stop == nil || !a.stop(w, r) {
			a.sim.ServeHTTP(w, r)
		}
	}))
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
	a.noSecrets(w.DiditAPIKey.Reveal(), d.Secret.Reveal())
}

// noSecrets checks that what was printed holds no secret.
func (a *account) noSecrets(secrets ...string) {
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
	a.stdin = &person{answers: []func() string{says(newEmail), says(newPassword), a.inbox, says("y")}}
	require.NoError(t, a.setup(t.Context(), "--url", ourURL, "--environment", "sandbox"))
	a.complete()
	assert.Equal(t, "sandbox", a.read().Get("DIDIT_ENVIRONMENT"))
	assert.Contains(t, a.out.String(), "Make one that checks document, liveness and face match? [y/N]")
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
	err := a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL)
	require.ErrorContains(t, err, "give --email and --code")
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--code", a.inbox(), "--flow", "--url", ourURL))
	a.complete()
}

func TestAWrongCodeIsAskedForAgain(t *testing.T) {
	var minute passed
	a := newAccount(t, diditsim.Options{Now: minute.now})
	a.stdin = &person{answers: []func() string{says("WRONG1"), says("not a code"), says(""), minute.pass, a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL))
	assert.Equal(t, 1, a.sim.CallCount(diditsim.EndpointRegister), "another code is no second registration")
	assert.Equal(t, 1, a.sim.CallCount(diditsim.EndpointResendCode, http.StatusOK), "Enter asks for another")
	assert.Contains(t, a.out.String(), "another code was sent less than a minute ago")
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
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL))
	assert.Contains(t, a.out.String(), "a code may have been sent")
	assert.Equal(t, 1, a.sim.CallCount(diditsim.EndpointRegister))
	a.complete()
}

func TestALostKeyIsReadWithThePassword(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.sim.FailNext("", "/auth/v2/programmatic/verify-email/", diditsim.Fault{Kind: diditsim.CommitThenHangUp})
	a.stdin = &person{answers: []func() string{a.inbox}}
	flags := []string{"--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL}
	require.NoError(t, a.setup(t.Context(), flags...))
	assert.Contains(t, a.out.String(), "its key was read with the password")
	a.complete()

	require.NoError(t, os.Remove(a.path), "a machine that is lost")
	require.NoError(t, a.setup(t.Context(), flags...))
	a.complete()
}

func TestAnAccountWithAnotherPassword(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	a.stdin = &person{answers: []func() string{a.inbox}}
	flags := []string{"--email", newEmail, "--flow", "--url", ourURL, "--password-file"}
	require.NoError(t, a.setup(t.Context(), append(flags, a.passwordFile())...))
	require.NoError(t, os.Remove(a.path))
	other := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(other, []byte("An0ther!Password"), 0o600))
	require.ErrorContains(t, a.setup(t.Context(), append(flags, other)...), "put it into "+a.path+" as DIDIT_API_KEY=")
	a.noSecrets("An0ther!Password")
}

func TestACodeThatWasUsedLeadsToThePassword(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	require.ErrorContains(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile()), "once you have the code")
	code := a.inbox()
	a.sim.FailNext("", "/auth/v2/programmatic/verify-email/", diditsim.Fault{Kind: diditsim.CommitThenHangUp})
	flags := []string{"--email", newEmail, "--code", code, "--flow", "--url", ourURL}
	require.ErrorContains(t, a.setup(t.Context(), flags...), "take its key from Didit's console")
	require.NoError(t, a.setup(t.Context(), append(flags, "--password-file", a.passwordFile())...))
	a.complete()
}

// From an empty account on, every call of setup is stopped once before Didit hears of it and once after: the next run
// does the rest, with one account, one flow and one destination.
func TestEveryCallMayBeTheLast(t *testing.T) {
	for _, heard := range []bool{false, true} {
		for n := 1; ; n++ {
			require.Less(t, n, 40)
			a := newAccount(t, diditsim.Options{})
			flags := []string{"--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL}
			ctx, cancel := context.WithCancel(t.Context())
			calls := 0
			a.stop = func(_ http.ResponseWriter, r *http.Request) bool {
				if calls++; calls != n {
					return false
				}
				if heard {
					a.sim.ServeHTTP(httptest.NewRecorder(), r)
				}
				cancel()
				panic(http.ErrAbortHandler)
			}
			a.stdin = &person{answers: []func() string{a.inbox}}
			err := a.setup(ctx, flags...)
			cancel()
			if calls < n {
				require.NoError(t, err)
				assert.Greater(t, n, 5)
				break
			}
			require.ErrorIs(t, err, errInterrupted, "call %d", n)
			a.stop = nil
			a.stdin = &person{answers: []func() string{a.inbox}}
			require.NoError(t, a.setup(t.Context(), flags...), "after call %d, heard %v", n, heard)
			a.complete()
			a.oneFlow()
		}
	}
}

// oneFlow checks that the account has one flow, which is the one of the file.
func (a *account) oneFlow() {
	a.t.Helper()
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: a.url, APIKey: a.read().Get("DIDIT_API_KEY")})
	require.NoError(a.t, err)
	all, err := api.Flows(a.t.Context())
	require.NoError(a.t, err)
	require.Len(a.t, all, 1)
	assert.Equal(a.t, all[0].ID, a.read().Get("DIDIT_WORKFLOW_ID"))
}

// passed is a stopped clock until a minute passes.
type passed struct{ minutes atomic.Int64 }

func (p *passed) now() time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(time.Duration(p.minutes.Load()) * time.Minute)
}

// pass is an answer to a prompt that takes a minute, and is empty.
func (p *passed) pass() string { p.minutes.Add(1); return "" }

func TestInterruptedAtAPrompt(t *testing.T) {
	a := newAccount(t, diditsim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	blocked, _ := io.Pipe()
	a.stdin = io.MultiReader(&person{answers: []func() string{func() string { cancel(); return "" }}}, blocked)
	require.ErrorIs(t, a.setup(ctx, "--email", newEmail, "--password-file", a.passwordFile()), errInterrupted)
	a.stdin = &person{answers: []func() string{a.inbox}}
	require.NoError(t, a.setup(t.Context(), "--email", newEmail, "--password-file", a.passwordFile(), "--flow", "--url", ourURL))
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
