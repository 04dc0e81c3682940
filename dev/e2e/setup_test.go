package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/doctor"
	"didit-temporal/internal/envfile"
	"didit-temporal/webhook/receiver"
)

// newcomer has a Temporal, a Didit without accounts, the programs, and an empty folder.
type newcomer struct {
	*system
	env      string // the path of the env file
	programs map[string]string
	extra    map[string][]string // more of the environment, by program
}

func arrive(t *testing.T, o options) *newcomer {
	t.Helper()
	s := bare(t, o)
	s.sim = diditsim.New(diditsim.Options{APIKey: apiKey, WorkflowIDs: []string{flow}})
	t.Cleanup(s.sim.Close)
	s.simURL, s.webhookURL = harness.Serve(t, s.sim), "http://"+harness.Address(t)+receiver.Path
	return &newcomer{system: s, env: filepath.Join(t.TempDir(), ".env"), programs: map[string]string{
		"starter": build(t, "starter"), "worker": build(t, "worker"), "webhook": build(t, "webhook"),
	}}
}

// command is a program with an environment of its own: what the test has, and what the env file says.
func (n *newcomer) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	n.t.Helper()
	cmd := exec.CommandContext(ctx, n.programs[program], args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + n.t.TempDir(), "TEMPORAL_ADDRESS=" + n.server.Address,
		"DIDIT_BASE_URL=" + n.simURL, "DIDIT_ACCOUNT_URL=" + n.simURL + diditsim.AccountPath,
		"WEBHOOK_ADDR=" + strings.TrimSuffix(strings.TrimPrefix(n.webhookURL, "http://"), receiver.Path), "METRICS_ADDR=127.0.0.1:0",
	}
	if f, err := envfile.Read(n.env); err == nil {
		cmd.Env = append(cmd.Env, f.Environ()...)
	}
	cmd.Env = append(cmd.Env, n.extra[program]...)
	return cmd
}

// starter runs the starter and returns all that it printed, and its exit code.
func (n *newcomer) starter(args ...string) (string, int) {
	n.t.Helper()
	cmd := n.command(n.within(5*timeout), "starter", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		n.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// serve runs a process until the test ends.
func (n *newcomer) serve(program string) {
	n.t.Helper()
	cmd := n.command(context.WithoutCancel(n.t.Context()), program)
	cmd.Stdout, cmd.Stderr = n.logs, n.logs
	require.NoError(n.t, cmd.Start())
	n.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			n.t.Errorf("%s: %v", program, err)
		}
	})
}

// The walk of docs/quickstart.md, from an empty folder to a verdict that came by webhook.
func TestFromNothingToAVerdict(t *testing.T) {
	t.Parallel()
	const email, password = "ops@kyc.internal", "hunter2-Str0ng!"
	n := arrive(t, options{})
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(password), 0o600))

	said, code := n.starter("setup", "didit", "--env-file", n.env, "--email", email, "--password-file", file)
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "give --email and --code, once you have the code")
	sent, ok := n.sim.LastCode(email)
	require.True(t, ok)
	said, code = n.starter("setup", "didit", "--env-file", n.env, "--email", email, "--code", sent, "--flow", "--url", n.webhookURL)
	require.Equal(t, 0, code, said)
	f, err := envfile.Load(n.env)
	require.NoError(t, err)
	require.False(t, f.Shared())
	for _, secret := range []string{password, f.Get("DIDIT_API_KEY"), f.Get("DIDIT_WEBHOOK_SECRETS")} {
		require.NotEmpty(t, secret)
		require.NotContains(t, said, secret)
	}

	said, code = n.starter("setup")
	require.Equal(t, 0, code, said)
	n.serve("worker")
	n.serve("webhook")
	n.eventually(func() bool { return n.logs.contain("webhook listens") && n.logs.contain("worker runs") }, "both processes")

	said, code = n.starter("start", "--user", "u1")
	require.Equal(t, 0, code, said)
	n.press(sessionURL.FindString(said), "approve")
	said, code = n.starter("start", "--user", "u1", "--wait")
	require.Equal(t, 0, code, said)
	require.Contains(t, said, "approved")
	n.eventually(func() bool { return n.logs.contain("didit webhook", "received", "Approved") }, "the webhook that Didit signed with the secret of the file")

	n.eventually(func() bool {
		said, code = n.starter("doctor", "--env-file", n.env, "--url", n.webhookURL, "-o", "json")
		return code == 0
	}, "a healthy system")
	var healthy struct{ Checks []doctor.Finding }
	require.NoError(t, json.Unmarshal([]byte(said), &healthy))
	for _, c := range healthy.Checks {
		if c.Status == doctor.Skipped {
			require.Contains(t, []string{"callback endpoint", "http api", "settings of running processes"}, c.Check, "what is not set up here")
			continue
		}
		require.Contains(t, []doctor.Status{doctor.OK, doctor.Warning}, c.Status, "%+v", c)
	}
	require.NoError(t, f.Set("DIDIT_API_KEY", "0123456789-of-somebody-else"))
	require.NoError(t, f.Save())
	said, code = n.starter("doctor", "--env-file", n.env)
	require.Equal(t, 6, code)
	require.Contains(t, said, "Didit refuses the key")
}
