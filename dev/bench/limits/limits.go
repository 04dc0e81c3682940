// Package limits measures what the system does at Didit's rate limits: that it keeps them, what it gets out of them, and
// what becomes of people who have to wait.
package limits

import (
	"fmt"
	"slices"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

const (
	group   = "limits"
	picture = "limits"
)

// Benchmarks lists them.
func Benchmarks() []run.Bench {
	signupsPicture := run.Picture{
		Name: picture, Title: "1,200 signups at once: requests that Didit got in the last 60 seconds",
		X: "seconds since the signups", Y: "writes in the last 60 s", Floor: 400,
	}
	return []run.Bench{
		{Name: "signups", Group: group, About: "1,200 signups at once while workers are killed: the limits are kept and used", Run: signups, Picture: signupsPicture},
		{Name: "blog", Group: group, About: "the same signups by programs without Temporal, Didit's published example first", Run: blog, Picture: signupsPicture},
		{Name: "storm", Group: group, About: "Didit refuses every write for two minutes: who calls, and how soon it goes on", Run: storm},
		{Name: "priority", Group: group, About: "a person who signs up behind a batch of 5,000", Run: priority},
		{Name: "eta", Group: group, About: "how long will it take: what the queue estimates, and how long it takes", Run: eta},
		{Name: "tenants", Group: group, About: "two keys of Didit, two namespaces, one Temporal", Run: tenants},
		{Name: "queued", Group: group, About: "10,000 creates in the queue: all of them come", Extra: true, Run: queued},
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

// wanted are the cases that -case leaves.
func wanted[T any](env *run.Env, all []T, name func(T) string) []T {
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !env.Wants(name(x)) })
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
