package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

// resultRows reads the file of a bulk start's results, without its header. The last line may be half there.
func resultRows(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	rows, err := csv.NewReader(bytes.NewReader(text[:bytes.LastIndexByte(text, '\n')+1])).ReadAll()
	require.NoError(t, err)
	return rows[1:]
}

func TestABulkStartThatWasKilledGoesOn(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, starter := startLimited(t), build(t, "starter")
	slow, fast := float32(4), float32(1000)
	s.anyone("somebody@console", &slow) // slow enough to be killed in the middle

	var ids []string
	for i := range 30 {
		ids = append(ids, fmt.Sprintf("u%d", i))
	}
	users := filepath.Join(t.TempDir(), "users.csv")
	require.NoError(t, os.WriteFile(users, []byte(strings.Join(ids, "\n")), 0o600))
	results := strings.TrimSuffix(users, ".csv") + ".results.csv"

	first := exec.CommandContext(t.Context(), starter, "bulk", "--file", users)
	first.Env = append(slices.DeleteFunc(os.Environ(), isTemporal), "TEMPORAL_ADDRESS="+s.server.Address)
	require.NoError(t, first.Start())
	s.eventually(func() bool { return len(resultRows(t, results)) >= 8 }, "some results")
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	done := len(resultRows(t, results))
	require.Less(t, done, 30, "it was killed too late")

	out, errs, code := s.exec(starter, "bulk", "--file", users, "--dry-run")
	require.Zero(t, code, errs)
	require.Contains(t, out, fmt.Sprintf("%d have one", done))
	require.Contains(t, out, "at 4.00 calls a second")

	s.anyone("somebody@console", &fast)
	out, errs, code = s.exec(starter, "bulk", "--file", users)
	require.Zero(t, code, out+errs)
	require.NotContains(t, out+errs, "/session/", "a URL was printed")
	require.Contains(t, out, fmt.Sprintf("%d users: ", 30-done))

	rows := resultRows(t, results)
	require.Len(t, rows, 30)
	require.Len(t, s.sim.Sessions(), 30)
	for _, id := range ids {
		require.Equal(t, 1, s.sessionsOf(id), id)
		at := slices.IndexFunc(rows, func(r []string) bool { return r[0] == id })
		require.NotEqual(t, -1, at, id)
		require.Equal(t, s.begin(id).Session.SessionID, rows[at][1])
		require.Equal(t, s.begin(id).Session.URL, rows[at][2])
		require.Empty(t, rows[at][4])
	}
}
