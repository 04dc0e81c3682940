package limits

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
)

// blog signs the same users up without Temporal, as the example does that Didit published (https://didit.me/blog, "Boost
// Performance: Async Python for Didit API & Webhooks", 6 March 2026).
//
// Of the example this is kept: all users at once (asyncio.gather); one client; up to five tries; after a 429 it sleeps for
// Retry-After, or else 2**try seconds, without jitter; whatever else goes wrong ends that user's loop. Of httpx, its client:
// at most 100 connections, five seconds for one of them to become free, five seconds for an answer. Put right are the address
// and the names of the fields, which the example has wrong. More lenient than the example: each URL counts at once, where the
// example prints all of them when the last user is done.
func blog(ctx context.Context, env *run.Env) (*run.Report, error) {
	n, pace := run.Pick(env, 1200, 200), pace(env)
	didit := testbed.NewSimulator(pace, testbed.Latency, diditsim.Options{})
	defer didit.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*expected(pace, n)+8*pace.Window)
	defer cancel()
	env.Say("blog: %d users", n)
	l, began := newLoop(didit), time.Now()
	for _, user := range users("signup", n) {
		l.all.Go(func() { l.note(l.signUp(ctx, user), time.Since(began)) })
	}
	l.all.Wait()
	return l.report(n, began, pace), context.Cause(ctx)
}

// loop is the example's.
type loop struct {
	didit *testbed.Simulator
	pool  chan struct{} // httpx.Limits(max_connections=100)
	all   sync.WaitGroup

	mu   sync.Mutex
	lost map[string]int // users, by the reason why they have no URL
	last time.Duration  // until the last URL
}

func newLoop(didit *testbed.Simulator) *loop {
	return &loop{didit: didit, pool: make(chan struct{}, 100), lost: map[string]int{}}
}

const (
	tries   = 5
	timeout = 5 * time.Second // httpx.Timeout(5.0), for a free connection and for an answer
)

// signUp is make_rate_limited_request. It returns why there is no URL.
func (l *loop) signUp(ctx context.Context, user string) (reason string) {
	for try := range tries {
		code, after, err := l.post(ctx, user)
		switch {
		case err != nil:
			return err.Error()
		case code == http.StatusTooManyRequests:
			wait, err := strconv.Atoi(after)
			if err != nil {
				wait = int(math.Pow(2, float64(try)))
			}
			if testbed.Sleep(ctx, time.Duration(wait)*time.Second) != nil {
				return "the benchmark ended"
			}
		case code/100 != 2:
			return fmt.Sprintf("answer %d", code)
		default:
			return ""
		}
	}
	return "max retries exceeded for rate-limited request"
}

func (l *loop) post(ctx context.Context, user string) (code int, retryAfter string, err error) {
	select {
	case l.pool <- struct{}{}:
		defer func() { <-l.pool }()
	case <-time.After(timeout):
		return 0, "", fmt.Errorf("no free connection within %v (httpx.PoolTimeout)", timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body := fmt.Sprintf(`{"vendor_data": %q, "workflow_id": %q}`, user, testbed.Flow)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.didit.URL+"/v3/session/", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("x-api-key", testbed.Key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", fmt.Errorf("no answer within %v", timeout)
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Retry-After"), err
}

func (l *loop) note(reason string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reason != "" {
		l.lost[reason]++
		return
	}
	l.last = max(l.last, took)
}

func (l *loop) report(n int, began time.Time, p testbed.Pace) *run.Report {
	r := &run.Report{}
	table := run.Table{
		Title:   "the same signups by Didit's published example, without Temporal",
		Columns: []string{"users", "worst window: writes sent", "429s", "last URL", "users without a URL"},
	}
	u := l.didit.Counted(diditsim.ScopeWrite)
	table.Row(n, fmt.Sprintf("%d of %d", u.Worst, u.Limit), u.Refused, seconds(l.last), fmt.Sprint(l.lost))
	r.Tables = []run.Table{table}
	r.Notes = []string{fmt.Sprintf("Didit's answers take %v. The example prints no URL before the last user is done; here each URL counts at once.", testbed.Latency)}
	if p == testbed.Didit {
		r.Series = []run.Series{curve("Didit's published example", l.didit.Sent(), began)}
	}
	return r
}
