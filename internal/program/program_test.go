package program

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

// ran runs a program with an environment and returns what it printed and its exit code.
func ran(t *testing.T, run Run, environment map[string]string, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), Process{
		Args: args, Stdout: &stdout, Stderr: &stderr, Environ: os.Environ, Getenv: func(name string) string { return environment[name] },
	})
	return stdout.String(), stderr.String(), code
}

func TestServersExplainThemselvesAndNameWhatIsWrong(t *testing.T) {
	for name, run := range map[string]Run{"worker": Worker, "webhook": Webhook} {
		out, errs, code := ran(t, run, nil, "--help")
		assert.Zero(t, code)
		assert.Contains(t, out, "Usage: "+name+"\n")
		assert.Empty(t, errs)

		out, _, code = ran(t, run, nil, "--version")
		assert.Zero(t, code)
		assert.Regexp(t, "^"+name+` version .+, revision .+, go1\..+\n$`, out)

		out, errs, code = ran(t, run, nil, "now")
		assert.Equal(t, exitUsage, code)
		assert.Empty(t, out)
		assert.Contains(t, errs, name+`: unexpected argument "now"`)

		_, errs, code = ran(t, run, map[string]string{"DIDIT_ENVIRONMENT": "nowhere"})
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, errs, name+": Invalid configuration ("+name+" --help lists the settings):\n")
		assert.Contains(t, errs, "DIDIT_ENVIRONMENT")
	}
}

func TestAVersionedWorkerNamesItsBuild(t *testing.T) {
	on := config.Versioning{Behavior: config.AutoUpgrade}
	for _, c := range []struct{ set, program, want string }{
		{"", "v1.2.3", "v1.2.3"},
		{"mine", "v1.2.3", "mine"},
		{"mine", "(devel)", "mine"},
	} {
		on.BuildID = c.set
		got, err := named(on, c.program)
		require.NoError(t, err)
		assert.Equal(t, c.want, got.BuildID)
	}
	on.BuildID = ""
	for _, program := range []string{"(devel)", "unknown"} {
		_, err := named(on, program)
		require.ErrorContains(t, err, "WORKER_BUILD_ID")
	}
	off, err := named(config.Versioning{Behavior: config.NoVersioning}, "(devel)")
	require.NoError(t, err)
	assert.Empty(t, off.BuildID)
}

func TestCommandsAreListedAndRun(t *testing.T) {
	var got []string
	run := Commands("kyc", "Verifies.", Command{Name: "one", Purpose: "Does one.", Run: func(_ context.Context, p Process) int {
		got = p.Args
		return 7
	}})
	_, _, code := ran(t, run, nil, "one", "--two", "three")
	assert.Equal(t, 7, code)
	assert.Equal(t, []string{"--two", "three"}, got)
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		out, errs, code := ran(t, run, nil, args...)
		assert.Zero(t, code)
		assert.Contains(t, out, "\n  one   Does one.\n")
		assert.Empty(t, errs)
	}
	out, _, code := ran(t, run, nil, "--version")
	assert.Zero(t, code)
	assert.Contains(t, out, "kyc version ")
	_, errs, code := ran(t, run, nil, "two")
	assert.Equal(t, exitUsage, code)
	assert.Equal(t, "kyc: unknown command \"two\": kyc --help lists the commands\n", errs)
}

func TestAProbeAnswersWithItsExitCode(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	for _, tc := range []struct {
		args []string
		code int
		errs string
	}{
		{[]string{server.URL + "/readyz"}, 0, ""},
		{[]string{"--help"}, 0, ""},
		{[]string{server.URL + "/livez"}, exitError, "probe: GET /livez: 503 Service Unavailable\n"},
		{[]string{"http://127.0.0.1:1/"}, exitError, "connection refused"},
		{nil, exitUsage, "probe: want one URL; probe --help explains it\n"},
		{[]string{"livez", server.URL}, exitUsage, "want one URL"},
	} {
		_, errs, code := ran(t, Probe, nil, tc.args...)
		assert.Equal(t, tc.code, code, tc.args)
		assert.Contains(t, errs, tc.errs)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	assert.Equal(t, exitError, Probe(late, Process{Args: []string{server.URL + "/readyz"}, Stderr: io.Discard}), "a slow answer")
}

func TestASignalEndsTheContext(t *testing.T) {
	code := Main(func(ctx context.Context, p Process) int {
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
		<-ctx.Done()
		return len(p.Args)
	}, []string{"a", "b"}, os.Getenv, os.Environ)
	assert.Equal(t, 2, code)
}
