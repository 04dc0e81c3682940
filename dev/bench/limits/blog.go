package limits

import (
	"context"
	"fmt"
	"slices"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
)

// program signs the same users up without Temporal.
type program struct {
	name      string
	more      float64 // users, as a multiple; 0 is 1
	processes int
	bucket    float64 // of the write limit; 0: none
	burst     bool    // a bucket as large as the limit
	slow      bool    // Didit's answers take half a second
	kill      bool    // killed midway
	again     bool    // started again, with the same users
	drawn     bool
}

var programs = []program{
	{name: "the example", processes: 1, drawn: true},
	{name: "the example, answers take 0.5 s", processes: 1, slow: true},
	{name: "the example, 2,000 users", more: 2000. / 1200, processes: 1},
	{name: "a token bucket of 300 a minute", processes: 1, bucket: 1, burst: true},
	{name: "a careful token bucket", processes: 1, bucket: 291. / 300},
	{name: "two careful processes", processes: 2, bucket: 291. / 300},
	{name: "the example, killed midway", processes: 1, kill: true},
	{name: "the example, killed and started again", processes: 1, kill: true, again: true},
	{name: "a careful one, killed and started again", processes: 1, bucket: 291. / 300, kill: true, again: true},
}

// programResult is what a program achieved.
type programResult struct {
	program
	pace            testbed.Pace
	n, lost, double int
	reasons         map[string]int
	began           time.Time
	last            time.Duration
	calls           testbed.Calls
	writes          diditsim.ScopeUsage
}

func blog(ctx context.Context, env *run.Env) (*run.Report, error) {
	chosen := programs
	if env.Short {
		chosen = []program{programs[0], programs[len(programs)-1]}
	}
	chosen = wanted(env, chosen, func(l program) string { return l.name })
	results, err := run.Each(ctx, env, chosen, func(ctx context.Context, p program) (programResult, error) {
		return p.run(ctx, env, run.Pick(env, 1200, 200))
	})
	if err != nil {
		return nil, err
	}
	r := &run.Report{Notes: []string{
		"lost: users who never get a URL from the program, because it gave them up or was killed.",
		"two sessions: users who had passed when the program was killed and who are charged again after its restart. It has no memory.",
		fmt.Sprintf("Didit's answers take %v where nothing else is said.", testbed.Latency),
		"The example prints no URL before the last user is done; here each URL counts at once.",
	}}
	table := run.Table{Title: "the same signups without Temporal", Columns: []string{
		"", "users", "worst window: writes sent", "429s", "users lost", "two sessions", "last URL", "why lost",
	}}
	for _, a := range results {
		table.Row(a.name, a.n, fmt.Sprintf("%d of %d", a.writes.Worst, a.writes.Limit), a.writes.Refused, a.lost, a.double, seconds(a.last), a.why())
		r.Figure(float64(a.lost), "%s: users lost", a.name)
		r.Figure(float64(a.double), "%s: users with two sessions", a.name)
		r.Figure(float64(a.writes.Refused), "%s: answered 429", a.name)
		r.Figure(float64(a.writes.Worst), "%s: worst window of writes sent", a.name)
		r.Figure(a.last.Seconds(), "%s: last URL, seconds", a.name)
		if a.drawn && a.pace == testbed.Didit {
			r.Series = append(r.Series, curve("Didit's published example", a.calls, a.began))
		}
	}
	r.Tables = []run.Table{table}
	return r, nil
}

// run starts the processes, kills them when half of the users have a URL, lets that half pass at Didit, and counts.
func (l program) run(ctx context.Context, env *run.Env, n int) (programResult, error) {
	if l.more > 0 {
		n = int(l.more * float64(n))
	}
	out := programResult{program: l, pace: pace(env), n: n}
	latency := testbed.Latency
	if l.slow {
		latency = 500 * time.Millisecond
	}
	didit, err := testbed.NewSimulator(out.pace, latency)
	if err != nil {
		return out, err
	}
	defer didit.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*expected(out.pace, n)+8*out.pace.Window)
	defer cancel()
	out.began = time.Now()
	outcomes := newOutcomes()
	env.Say("blog, %s: %d users", l.name, n)
	running, err := l.start(ctx, env, didit, outcomes, n)
	if err != nil {
		return out, err
	}
	if l.kill {
		if running, err = l.strike(ctx, env, didit, outcomes, running, n); err != nil {
			return out, err
		}
	}
	for _, p := range running {
		p.wait()
	}
	out.count(didit, outcomes)
	return out, nil
}

func (l program) start(ctx context.Context, env *run.Env, didit *testbed.Simulator, outcomes *outcomes, n int) ([]*loop, error) {
	var all []*loop
	for i := range l.processes {
		args := []string{"-url", didit.URL, "-key", didit.Key, "-flow", didit.Flow, "-n", fmt.Sprint(n / l.processes), "-first", fmt.Sprint(1 + i*n/l.processes)}
		if l.bucket > 0 {
			args = append(args, "-per-minute", fmt.Sprint(l.bucket*float64(pace(env).Writes)))
		}
		if l.burst {
			args = append(args, "-burst", fmt.Sprint(pace(env).Allowed(pace(env).Writes)))
		}
		p, err := startLoop(ctx, env, outcomes, args...)
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (l program) strike(ctx context.Context, env *run.Env, didit *testbed.Simulator, outcomes *outcomes, running []*loop, n int) ([]*loop, error) {
	if err := outcomes.reach(ctx, n/2); err != nil {
		return nil, err
	}
	env.Say("blog, %s: kill -9", l.name)
	for _, p := range running {
		p.kill()
	}
	var urls []string
	for user := range outcomes.all() {
		for _, s := range didit.Sim.SessionsOf(user) {
			urls = append(urls, s.URL)
		}
	}
	if err := testbed.Approve(ctx, urls); err != nil {
		return nil, err
	}
	if !l.again {
		return nil, nil
	}
	return l.start(ctx, env, didit, outcomes, n)
}

func (a *programResult) count(didit *testbed.Simulator, outcomes *outcomes) {
	a.calls, a.reasons = didit.Calls(), outcomes.reasons()
	served := outcomes.all()
	for i := range a.n {
		user := fmt.Sprintf("signup-%d", i+1)
		if _, ok := served[user]; !ok {
			a.lost++
		}
		if len(didit.Sim.SessionsOf(user)) > 1 {
			a.double++
		}
	}
	for _, at := range served {
		a.last = max(a.last, at.Sub(a.began))
	}
	for _, u := range didit.Sim.Usage() {
		if u.Scope == diditsim.ScopeWrite {
			a.writes = u
		}
	}
}

func (a *programResult) why() string {
	var lines []string
	for reason, n := range a.reasons {
		lines = append(lines, fmt.Sprintf("%d: %s", n, reason))
	}
	if a.kill && !a.again && a.lost > 0 {
		lines = append(lines, fmt.Sprintf("%d: the process was gone", a.lost))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines)
}
