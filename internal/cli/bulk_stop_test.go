package cli

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func users(prefix string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, prefix+numberedUsers(n).users[i].UserID)
	}
	return list
}

func TestBulkStopsWhenNoUserCanBeStarted(t *testing.T) {
	for name, tc := range map[string]struct {
		users []string
		stops bool
	}{
		"twenty refused at once":       {append(users("refused-", 20), users("u-", 30)...), true},
		"in the middle":                {append(users("u-", 5), users("refused-", 45)...), true},
		"decided ones say nothing":     {append(append(users("refused-", 19), users("decided-", 3)...), users("refused-x", 21)...), true},
		"nineteen, then a new one":     {append(append(users("refused-", 19), "u-x"), users("refused-x", 19)...), false},
		"for a reason that may pass":   {users("broken-", 50), false},
		"for a reason of its own each": {users("ended-", 50), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var starts counted
				b := bench{fake: fake{start: starts.start}, stdin: strings.Join(tc.users, "\n")}
				err := b.line(t, "bulk --file - --concurrency 1")
				if !tc.stops {
					require.ErrorContains(t, err, "users failed; it is safe to run the same command again")
					return
				}
				require.EqualError(t, err, "stopped, because 20 users in a row failed for one reason that waiting does not fix: "+
					"DiditUnauthorized: "+kyc.Hint(kyc.ErrorTypeUnauthorized)+
					"\nfix it and run the same command again: failed users are tried again, no user is started twice")
				assert.Less(t, len(starts.calls), 30)
				assert.Contains(t, b.out.String(), "not started")
			})
		})
	}
}

func TestDryRunStartsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "users.csv", append(users("u-", 600), "u-user-1", "u-user-2")...)
	write(t, "users.results.csv", header+"u-user-1,s,http://d/1,Approved,", "u-user-2,,,,down")
	before := read(t, "users.results.csv")
	for name, tc := range map[string]struct {
		position ops.QueuePosition
		args     string
		want     string
	}{
		"under a limit": {ops.QueuePosition{PerSecond: 4.85, Ahead: 100}, "--file users.csv", `users       600
duplicates  2, left out
results     users.results.csv: 1 have one
to start    599
time        about 2m24s at 4.85 calls a second, 100 ahead
every line is valid; nothing was started
`},
		"before the first worker": {ops.QueuePosition{}, "-n 290", `users       290
duplicates  0, left out
to start    290
time        about 1m0s at 4.83 calls a second, 0 ahead; no limit is set yet, the first worker does, and this is Didit's usual one
every line is valid; nothing was started
`},
		"while it is paused": {ops.QueuePosition{Paused: true}, "-n 1", `users       1
duplicates  0, left out
to start    1
time        not known: an operator has paused the calls to Didit; ` + "`starter setup`" + ` shows who
every line is valid; nothing was started
`},
	} {
		t.Run(name, func(t *testing.T) {
			tc.position.At = time.Now()
			b := bench{fake: fake{position: tc.position}}
			require.NoError(t, b.line(t, "bulk --dry-run "+tc.args))
			assert.Equal(t, tc.want, b.out.String())
			assert.Equal(t, 1, b.fake.closed)
			assert.Equal(t, before, read(t, "users.results.csv"))
		})
	}

	b := bench{dialError: errNotDialled}
	require.ErrorIs(t, b.line(t, "bulk --dry-run --file users.csv"), errNotDialled)
	assert.Contains(t, b.out.String(), "to start    599\n", "what is known was not printed")
	write(t, "users.csv", "u1", "u 2")
	require.ErrorContains(t, b.line(t, "bulk --dry-run --file users.csv"), "line 2: ")
}

// A file of the wrong kind has nothing but bad lines.
func TestOnlyTheFirstBadLinesAreReported(t *testing.T) {
	_, err := parseUsers(strings.Repeat("no user\n", 100_000))
	require.ErrorContains(t, err, "line 20: ")
	require.NotContains(t, err.Error(), "line 21: ")
	require.ErrorContains(t, err, "and 99980 more")
}

func TestLargeFilesNeedLittleMemory(t *testing.T) {
	var b strings.Builder
	b.WriteString("user_id,language,return_url\n")
	for _, in := range numberedUsers(maxNumbered).users {
		b.WriteString(in.UserID + ",en,https://shop.example/welcome\n")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list, err := parseUsers(b.String())
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.Len(t, list.users, maxNumbered)
	mib := float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
	t.Logf("%.0f MiB for %d lines", mib, len(list.users))
	assert.Less(t, mib, 150.0, "all that was ever allocated, garbage too")
}
