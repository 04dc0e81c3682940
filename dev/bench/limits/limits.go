// Package limits measures what the system does at Didit's rate limits: that it keeps them, what it gets out of them, and
// what becomes of people who have to wait.
package limits

import (
	"context"
	"fmt"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

// Benchmarks lists them.
func Benchmarks() []run.Bench {
	return []run.Bench{
		{Name: "signups", Group: "limits", About: "1,200 signups at once while workers are killed: the limits are kept and used", Run: signups},
		{Name: "blog", Group: "limits", About: "the same signups by the loop of Didit's published example, without Temporal", Run: blog},
		{Name: "queue", Group: "limits", About: "10,000 creates in the queue, and people who come behind them: all get a URL, and estimates are right", Run: queue},
	}
}

// pace is Didit's, or that of a small model.
func pace(env *run.Env) testbed.Pace { return run.Pick(env, testbed.Didit, testbed.Model) }

func users(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", prefix, i+1)
	}
	return all
}

// sessions counts the users without a session at Didit, and those with more than one.
func sessions(sim *testbed.Simulator, users []string) (none, several int) {
	for _, user := range users {
		switch n := len(sim.SessionsOf(user)); {
		case n == 0:
			none++
		case n > 1:
			several++
		}
	}
	return none, several
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func percent(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * part / whole
}

// expected is how long n creates take at least, if there are no others.
func expected(p testbed.Pace, n int) time.Duration {
	return time.Duration(float64(n) / testbed.Rate(p.Writes) * float64(time.Second))
}

// follow prints now and then how many users have a URL, until the returned function is called.
func follow(ctx context.Context, env *run.Env, name string, people *testbed.Users, n int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for testbed.Sleep(ctx, 20*time.Second) == nil {
			env.Say("%s: %d of %d have a URL", name, people.Served(), n)
		}
	}()
	return cancel
}

// curve is the number of writes in the last minute, second by second, until it has fallen to nothing.
func curve(name string, sent testbed.Calls, began time.Time) run.Series {
	return run.Series{Name: name, Step: 1, Y: sent.Sliding(began, testbed.Didit.Window, time.Second)}
}
