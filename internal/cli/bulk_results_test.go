package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

const header = "user_id,session_id,url,status,error\n"

// write leaves files that others may read, as people do.
func write(t *testing.T, name string, lines ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

// counted calls start and counts how often each user was started.
type counted struct {
	sync.Mutex
	calls map[string]int
}

func (c *counted) start(ctx context.Context, in kyc.Input) (kyc.Started, error) {
	c.Lock()
	defer c.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[in.UserID]++
	return byPrefix(ctx, in)
}

func TestBulkKeepsTheResultOfEachUser(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "users.csv", "u1", "joined2", "decided3", "refused4", "broken5", "verbose6")
	b := bench{fake: fake{start: byPrefix}}
	require.ErrorContains(t, b.line(t, "bulk --file users.csv --concurrency 1"), "3 of 6 users failed")
	assert.Equal(t, header+
		"u1,session-1,"+secretURL+",Not Started,\n"+
		"joined2,session-1,"+secretURL+",In Progress,\n"+
		"decided3,session-1,,Approved,\n"+
		`refused4,,,,"DiditUnauthorized: `+kyc.Hint(kyc.ErrorTypeUnauthorized)+"\"\n"+
		"broken5,,,,out of order\nverbose6,,,,\"out of order, in two lines\"\n", read(t, "users.results.csv"))
	assert.NotContains(t, b.out.String()+b.errOut.String(), "s3cret", "a URL was printed")
	info, err := os.Stat("users.results.csv")
	require.NoError(t, err)
	assert.Equal(t, "-rw-------", info.Mode().String(), "URLs are secrets")
}

func TestBulkStartsOnlyWhoHasNoResult(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "users.csv", "u1", "u2", "broken3", "u4")
	// From another file, twice, failed, and cut off by a crash.
	write(t, "users.results.csv", header+"stranger,s,http://d/1,Approved,", "u2,s,http://d/2,Not Started,", "u2,s,http://d/3,Not Started,",
		"broken3,,,,down", `u1,s,"http://d/,4",Not Started,`, "u4,s,http://d")
	require.NoError(t, os.Truncate("users.results.csv", int64(len(read(t, "users.results.csv"))-1)))
	var starts counted
	b := bench{fake: fake{start: starts.start}}
	require.ErrorContains(t, b.line(t, "bulk --file users.csv --concurrency 1"), "1 of 2 users failed")
	assert.Equal(t, map[string]int{"broken3": 1, "u4": 1}, starts.calls)
	assert.Equal(t, header+"stranger,s,http://d/1,Approved,\nu2,s,http://d/2,Not Started,\n"+`u1,s,"http://d/,4",Not Started,`+"\n"+
		"broken3,,,,out of order\nu4,session-1,"+secretURL+",Not Started,\n", read(t, "users.results.csv"))
	assert.Contains(t, b.errOut.String(), "2 of 4 users have a result in users.results.csv; starting the other 2\n")
	assert.Contains(t, b.out.String(), "1 failed, results from before: 2, in")
	info, err := os.Stat("users.results.csv")
	require.NoError(t, err)
	assert.Equal(t, "-rw-------", info.Mode().String(), "it was readable by others before")
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Len(t, left, 2, "only the two files")

	write(t, "users.csv", "u4", "u1")
	b = bench{dialError: errNotDialled}
	require.NoError(t, b.line(t, "bulk --file users.csv"))
	assert.Equal(t, "2 users: users.results.csv has a result for each, nothing was started\n", b.out.String())
}

func TestBulkGoesOnAfterAnInterruption(t *testing.T) {
	t.Chdir(t.TempDir())
	var first, second counted
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := bench{fake: fake{start: func(ctx context.Context, in kyc.Input) (kyc.Started, error) {
			if s, err := first.start(ctx, in); len(in.UserID) == len("user-1") {
				return s, err
			}
			return blocks("run-1")(ctx, in)
		}}}
		done := make(chan error, 1)
		go func() { done <- b.run(ctx, strings.Fields("bulk -n 30 --results r.csv --concurrency 4")...) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, errInterrupted)
	})
	require.Equal(t, 1+9, strings.Count(read(t, "r.csv"), "\n"))
	b := bench{fake: fake{start: second.start}}
	require.NoError(t, b.line(t, "bulk -n 30 --results r.csv"))
	assert.Len(t, second.calls, 21)
	for i := range 30 {
		assert.Equal(t, 1, strings.Count(read(t, "r.csv"), fmt.Sprintf("user-%d,", i+1)))
	}
}

func TestBulkWritesNoResultsUnasked(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "users.csv", "u1")
	for _, args := range []string{"--file -", "-n 2", "--file users.csv --results="} {
		b := bench{fake: fake{start: byPrefix}, stdin: "u1"}
		require.NoError(t, b.line(t, "bulk "+args))
		left, err := os.ReadDir(".")
		require.NoError(t, err)
		assert.Len(t, left, 1, args)
	}
	b := bench{fake: fake{start: byPrefix}, stdin: "u1"}
	require.NoError(t, b.line(t, "bulk --file - --results piped.csv"))
	assert.Contains(t, read(t, "piped.csv"), "u1,session-1,")
}

func TestBulkLeavesFilesOfOthersAlone(t *testing.T) {
	for name, tc := range map[string]struct{ content, args, want string }{
		"the users themselves":  {"u1\nu2\n", "--file r.csv --results r.csv", "r.csv is no file of results (its first line is not user_id,session_id,url,status,error), so it is not changed"},
		"notes without an end":  {"hunter2", "-n 1 --results r.csv", "r.csv is no file of results"},
		"a line that was mixed": {header + "u1,s,u,x,\nu2,hunter2\n", "-n 1 --results r.csv", "r.csv, line 3: it has 2 fields, want 5; fix the line or remove it"},
		"a directory":           {"", "-n 1 --results .", ". is no regular file"},
		"a place that is none":  {"", "-n 1 --results no/r.csv", "write the results: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.WriteFile("r.csv", []byte(tc.content), 0o600))
			var starts counted
			b := bench{fake: fake{start: starts.start}}
			err := b.line(t, "bulk "+tc.args)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, tc.content, read(t, "r.csv"))
			assert.Empty(t, starts.calls)
		})
	}
}

// Sessions cost money: a run that cannot write their URLs must not create more of them.
func TestBulkStopsWhenResultsCannotBeWritten(t *testing.T) {
	gone, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	var starts counted
	b := bench{fake: fake{start: starts.start}}
	tool := b.tool()
	sum := tool.startAll(t.Context(), &b.fake, bulkFlags{concurrency: 1, timeout: 1e9}, plan{todo: numberedUsers(100).users, users: 100, results: &results{file: gone}})
	require.ErrorContains(t, sum.verdict(), "write the results: ")
	assert.Less(t, len(starts.calls), 4)
}
