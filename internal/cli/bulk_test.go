package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

// byPrefix starts users by what their id begins with.
func byPrefix(_ context.Context, in kyc.Input) (kyc.Started, error) {
	switch {
	case strings.HasPrefix(in.UserID, "joined"):
		return joinedOne(in.UserID), nil
	case strings.HasPrefix(in.UserID, "decided"):
		return decidedOne(in.UserID), nil
	case strings.HasPrefix(in.UserID, "refused"):
		return kyc.Started{RunID: "run-1"}, &kyc.SessionError{UserID: in.UserID, RunID: "run-1", Type: kyc.ErrorTypeUnauthorized}
	case strings.HasPrefix(in.UserID, "ended"):
		return kyc.Started{RunID: "run-1"}, &kyc.SessionError{UserID: in.UserID, RunID: "run-1"}
	case strings.HasPrefix(in.UserID, "broken"):
		return kyc.Started{}, errors.New("out of order")
	case strings.HasPrefix(in.UserID, "verbose"):
		return kyc.Started{}, errors.New("out of order,\nin two lines")
	}
	return newOne(in.UserID), nil
}

func TestBulkSumsUp(t *testing.T) {
	for name, tc := range map[string]struct {
		users, wantOut, wantErr string
	}{
		"all new":    {"u1 u2 u3", "3 users: 3 with a session (3 new, 0 joined), 0 decided before, 0 failed, in 0s\n", ""},
		"run again":  {"joined1 joined2 u3", "3 users: 3 with a session (1 new, 2 joined), 0 decided before, 0 failed, in 0s\n", ""},
		"decided":    {"decided1 u2", "2 users: 1 with a session (1 new, 0 joined), 1 decided before, 0 failed, in 0s\n", ""},
		"duplicates": {"u1 u1 u2 u1", "2 users: 2 with a session (2 new, 0 joined), 0 decided before, 0 failed, duplicates left out: 2, in 0s\n", ""},
		"failures, a line each": {"refused1 u2 broken3 ended4", "refused1: DiditUnauthorized: " + kyc.Hint(kyc.ErrorTypeUnauthorized) + "\n" +
			"broken3: out of order\nended4: verification of user ended4 ended before Didit made a session (run run-1)\n" +
			"4 users: 1 with a session (1 new, 0 joined), 0 decided before, 3 failed, in 0s\n",
			"3 of 4 users failed; it is safe to run the same command again"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bench{fake: fake{start: byPrefix}, stdin: strings.ReplaceAll(tc.users, " ", "\n")}
				err := b.line(t, "bulk --file - --concurrency 1")
				assert.Equal(t, tc.wantOut, b.out.String())
				assert.NotContains(t, b.out.String()+b.errOut.String(), "s3cret", "a URL or a token was printed")
				assert.Equal(t, 1, b.fake.closed)
				if tc.wantErr == "" {
					require.NoError(t, err)
					return
				}
				require.EqualError(t, err, tc.wantErr)
			})
		})
	}
}

func TestBulkStartsEachUserOnceWithItsColumns(t *testing.T) {
	var mu sync.Mutex
	var got []kyc.Input
	b := bench{fake: fake{start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, in)
		return newOne(in.UserID), nil
	}}}
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("users.csv", []byte("user_id,language,return_url\nu1,en,https://shop.example/\nu2,,\nu1,fr,\n"), 0o600))
	require.NoError(t, b.line(t, "bulk --file users.csv"))
	slices.SortFunc(got, func(x, y kyc.Input) int { return strings.Compare(x.UserID, y.UserID) })
	assert.Equal(t, []kyc.Input{
		{UserID: "u1", Language: "en", ReturnURL: "https://shop.example/", Priority: kyc.PriorityBulk},
		{UserID: "u2", Priority: kyc.PriorityBulk},
	}, got)

	got = nil
	require.NoError(t, b.line(t, "bulk -n 2 --priority interactive"))
	slices.SortFunc(got, func(x, y kyc.Input) int { return strings.Compare(x.UserID, y.UserID) })
	assert.Equal(t, []kyc.Input{
		{UserID: "user-1", Priority: kyc.PriorityInteractive}, {UserID: "user-2", Priority: kyc.PriorityInteractive},
	}, got)
}

func TestBulkKeepsItsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight atomic.Int32
		release := make(chan struct{})
		b := bench{fake: fake{start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
			inFlight.Add(1)
			defer inFlight.Add(-1)
			<-release
			return newOne(in.UserID), nil
		}}}
		done := make(chan error, 1)
		go func() { done <- b.line(t, "bulk -n 20 --concurrency 7") }()
		for range 20 - 7 {
			synctest.Wait()
			require.EqualValues(t, 7, inFlight.Load())
			release <- struct{}{}
		}
		close(release)
		require.NoError(t, <-done)
		assert.Contains(t, b.out.String(), "20 with a session")
	})
}

func TestBulkStopsWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		b := bench{fake: fake{start: func(ctx context.Context, in kyc.Input) (kyc.Started, error) {
			if calls.Add(1) <= 3 {
				return newOne(in.UserID), nil
			}
			return blocks("run-1")(ctx, in)
		}}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.run(ctx, "bulk", "-n", "10", "--concurrency", "4") }()
		synctest.Wait()
		cancel()
		err := <-done
		require.ErrorIs(t, err, errInterrupted)
		assert.ErrorContains(t, err, "it is safe to run the same command again")
		assert.Equal(t, "10 users: 3 with a session (3 new, 0 joined), 0 decided before, 0 failed, 4 cut short, 3 not started, in 0s\n", b.out.String())
		assert.EqualValues(t, 7, calls.Load(), "users were started after the interruption")
	})
}

// A start whose answer came just as Ctrl-C did has happened; so has a final failure.
func TestAnswersThatCameInTimeCount(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := bench{fake: fake{start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
		cancel()
		return byPrefix(ctx, in)
	}}, stdin: "refused1"}
	require.EqualError(t, b.run(ctx, "bulk", "--file", "-"), "1 of 1 users failed; it is safe to run the same command again")
	assert.Contains(t, b.out.String(), "1 failed, in")
}

func TestBulkGivesEachUserItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bench{fake: fake{start: blocks("run-1")}}
		require.ErrorContains(t, b.line(t, "bulk -n 3 --concurrency 1 --timeout 2m"), "3 of 3 users failed")
		assert.Contains(t, b.out.String(), "user-2: no session within 2m0s: it waits for Didit's rate limit")
		assert.Contains(t, b.out.String(), "3 failed, in 6m0s\n")
	})
}

func TestBulkShowsThatItIsAliveWhenPiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bench{fake: fake{start: func(_ context.Context, in kyc.Input) (kyc.Started, error) {
			<-time.After(12 * time.Second)
			return newOne(in.UserID), nil
		}}}
		require.NoError(t, b.line(t, "bulk -n 2 --concurrency 1"))
		assert.Equal(t, "0 of 2 users (0 %)\n0 of 2 users (0 %)\n1 of 2 users (50 %), 5.0 a minute, about 12s left\n"+
			"1 of 2 users (50 %), 3.0 a minute, about 20s left\n2 of 2 users (100 %), 5.0 a minute\n", b.errOut.String())
		assert.Equal(t, "2 users: 2 with a session (2 new, 0 joined), 0 decided before, 0 failed, in 24s\n", b.out.String())
	})
}

func TestBulkPrintsALineAtEachTenthWhenPiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes, so there is no rate
		b := bench{fake: fake{start: byPrefix}}
		require.NoError(t, b.line(t, "bulk -n 1000"))
		got := strings.Split(strings.TrimSpace(b.errOut.String()), "\n")
		require.Len(t, got, 10)
		assert.Equal(t, "100 of 1000 users (10 %)", got[0])
		assert.Equal(t, "1000 of 1000 users (100 %)", got[9])
		assert.NotContains(t, b.errOut.String(), "\r", "a bar was drawn into a pipe")
	})
}

func TestPaceIsReadable(t *testing.T) {
	for want, got := range map[string]string{
		"":                                     pace(0, 10, time.Minute),
		", 4.8 a second, about 5h42m39s left":  pace(291, 100_000, time.Minute),
		", 30.0 a minute, about 2s left":       pace(9, 10, 18*time.Second),
		", 10.0 a second":                      pace(10, 10, time.Second),
		", 1.0 a second, about 27h46m30s left": pace(10, 100_000, 10*time.Second),
	} {
		assert.Equal(t, want, got)
	}
}

func TestBulkDrawsABarOnATerminal(t *testing.T) {
	b := bench{fake: fake{start: byPrefix}, terminal: true, stdin: "u1\nbroken2\nu3"}
	require.Error(t, b.line(t, "bulk --file - --concurrency 1"))
	assert.Contains(t, b.errOut.String(), "\rstarting")
	assert.Contains(t, b.errOut.String(), "(0/3, 0 users/hr)")
	assert.True(t, strings.HasPrefix(b.out.String(), "broken2: out of order\n"), "the bar must not reach standard output")
	_, last, _ := strings.Cut(b.errOut.String()[strings.LastIndex(b.errOut.String()[:len(b.errOut.String())-1], "\r"):], "\r")
	assert.Empty(t, strings.TrimSpace(last), "the bar was left behind")
}

// For programs: a line for each user and one with the sum; URLs stay in the file of results.
func TestBulkPrintsJSON(t *testing.T) {
	b := bench{fake: fake{start: byPrefix}, stdin: "u1\njoined2\ndecided3\nrefused4\njoined5\ndecided6\ndecided7\nrefused8\nrefused9\nrefused10\n"}
	err := b.line(t, "bulk --file - --concurrency 1 -o json")
	assert.Equal(t, failedPartly, kindOf(err))
	lines := strings.Split(strings.TrimSpace(b.out.String()), "\n")
	require.Len(t, lines, 11)
	assert.JSONEq(t, `{"user_id":"u1","became":"created","session_id":"session-1","status":"Not Started"}`, lines[0])
	assert.JSONEq(t, `{"user_id":"joined2","became":"joined","session_id":"session-1","status":"In Progress"}`, lines[1])
	assert.JSONEq(t, `{"user_id":"decided3","became":"decided","session_id":"session-1","status":"Approved"}`, lines[2])
	assert.Contains(t, lines[3], `"became":"failed"`)
	assert.Contains(t, lines[3], `"error_type":"DiditUnauthorized"`)
	assert.Contains(t, lines[10], `{"summary":{"users":10,"created":1,"joined":2,"decided":3,"failed":4,"cut_short":0,"not_started":0,"before":0,"duplicates":0,"seconds":`)
	assert.NotContains(t, b.out.String(), "s3cret")
}
