package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/kyc"
)

// build builds one of the programs, as `make build` does.
func build(t *testing.T, program string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), program)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", ".."), "-o", bin, "./"+program)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// exec runs a program against the system's Temporal and returns what it printed and its exit code.
func (s *system) exec(bin string, args ...string) (stdout, stderr string, code int) {
	cmd := exec.CommandContext(s.within(5*timeout), bin, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isTemporal), "TEMPORAL_ADDRESS="+s.server.Address)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Error(err)
		return "", err.Error(), -1
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func isTemporal(kv string) bool { return len(kv) > 9 && kv[:9] == "TEMPORAL_" }

var sessionURL = regexp.MustCompile(`http://\S+/session/\S+`)

func TestTwentyProcessesStartOneUser(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	urls := make([]string, 20)
	var wg sync.WaitGroup
	for i := range urls {
		wg.Go(func() {
			out, errs, code := s.exec(starter, "start", "--user", "u1")
			if code != 0 {
				t.Errorf("exit code %d: %s%s", code, out, errs)
			}
			urls[i] = sessionURL.FindString(out)
		})
	}
	wg.Wait()
	require.NotEmpty(t, urls[0])
	require.Len(t, slices.Compact(urls), 1, "one URL")
	require.Equal(t, 1, s.sessionsOf("u1"))
}

func TestStartWaitPrintsTheVerdict(t *testing.T) {
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	url := s.begin("u1").Session.URL
	s.press(url, "approve")
	out, errs, code := s.exec(starter, "start", "--user", "u1", "--wait")
	require.Equal(t, 0, code, errs)
	require.Contains(t, out, "approved")
	out, errs, code = s.exec(starter, "status", "--user", "u1")
	require.Equal(t, 0, code, errs)
	require.Contains(t, out, s.sim.Sessions()[0].ID)
	require.NotContains(t, out, "/session/", "status shows no link")
}

func TestBulkIsSafeToRunAgain(t *testing.T) {
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	for range 2 {
		out, errs, code := s.exec(starter, "bulk", "-n", "200")
		require.Equal(t, 0, code, out+errs)
		require.Contains(t, out+errs, "200")
		require.Len(t, s.sim.Sessions(), 200)
	}
}

func TestStarterSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s, starter := start(t, options{workerKey: "a-key-of-nobody"}), build(t, "starter")
	for _, id := range []string{"", "someone@example.com", string(bytes.Repeat([]byte("a"), 129))} {
		_, errs, code := s.exec(starter, "start", "--user", id)
		require.NotZero(t, code)
		require.Contains(t, errs, "1 to 128 letters", "user id %q", id)
	}
	_, errs, code := s.exec(starter, "start", "--user", "u1")
	require.NotZero(t, code)
	require.Contains(t, errs, kyc.ErrorTypeUnauthorized)
}
