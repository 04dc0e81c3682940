package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asKyc makes this test binary the program, so that tests run it as a process.
const asKyc = "RUN_AS_KYC"

func TestMain(m *testing.M) {
	if os.Getenv(asKyc) != "" {
		main()
	}
	os.Exit(m.Run())
}

// kyc is the program with arguments and an environment of its own.
func kyc(t *testing.T, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append([]string{asKyc + "=1", "HOME=" + t.TempDir()}, environment...)
	return cmd
}

// ends runs the program to its end and returns all that it printed, and its exit code.
func ends(t *testing.T, environment []string, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	cmd := kyc(t, environment, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the exit code is what counts
	require.NotNil(t, cmd.ProcessState)
	return out.String(), cmd.ProcessState.ExitCode()
}

func TestEachCommandIsThere(t *testing.T) {
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--help"}, 0, "\n  starter   Starts verifications"},
		{[]string{"--version"}, 0, "kyc version "},
		{[]string{"worker", "--version"}, 0, "worker version "},
		{[]string{"webhook", "--version"}, 0, "webhook version "},
		{[]string{"starter", "--version"}, 0, "starter version "},
		{[]string{"worker", "--help"}, 0, "DIDIT_API_KEY"},
		{[]string{"webhook", "--help"}, 0, "DIDIT_WEBHOOK_SECRETS"},
		{[]string{"starter", "--help"}, 0, "starter start --user u1"},
		{[]string{"starter", "codec-key", "--id", "k1"}, 0, "k1:"},
		{[]string{"signup"}, 2, "kyc --help lists the commands"},
		{[]string{"worker", "--queue"}, 2, "worker --help lists them"},
		{[]string{"webhook"}, 2, "DIDIT_WEBHOOK_SECRETS is not set"},
		{[]string{"starter", "start"}, 2, "run `starter start --help` for its flags"},
		{[]string{"webhook", "-check"}, 1, "webhook: "},
		{[]string{"starter", "serve", "--check"}, 1, "starter: "},
	} {
		out, code := ends(t, []string{"WEBHOOK_ADDR=127.0.0.1:1", "STARTER_ADDR=127.0.0.1:1"}, tc.args...)
		assert.Equal(t, tc.code, code, "%v: %s", tc.args, out)
		assert.Contains(t, out, tc.want, tc.args)
	}
}
