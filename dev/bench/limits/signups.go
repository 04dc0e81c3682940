package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// signupsCase is one way to run the system while all users sign up at once.
type signupsCase struct {
	name       string
	workers    int
	kills      int // of workers, with SIGKILL, midway
	partitions int
	temporal   bool // Temporal is killed too
	drawn      bool // into the picture
}

var signupsCases = []signupsCase{
	{name: "1 worker", workers: 1, kills: 1, partitions: 1},
	{name: "2 workers", workers: 2, kills: 2, partitions: 1, drawn: true},
	{name: "8 workers", workers: 8, kills: 2, partitions: 1},
	{name: "1 worker, 4 partitions", workers: 1, kills: 1, partitions: 4},
	{name: "8 workers, 4 partitions", workers: 8, kills: 2, partitions: 4},
	{name: "2 workers, Temporal killed too", workers: 2, kills: 2, partitions: 1, temporal: true},
}

// signupsResult is the result of a signupsCase.
type signupsResult struct {
	signupsCase
	pace               testbed.Pace
	n, lost, refused   int
	double, unfinished int
	again              int
	began, end         time.Time
	calls              testbed.Calls
	writes, reads      diditsim.ScopeUsage
	servedAt           []time.Time
}

func signups(ctx context.Context, env *run.Env) (*run.Report, error) {
	chosen := signupsCases
	if env.Short {
		chosen = signupsCases[1:2]
	}
	chosen = wanted(env, chosen, func(c signupsCase) string { return c.name })
	results, err := run.Each(ctx, env, chosen, func(ctx context.Context, c signupsCase) (signupsResult, error) {
		return c.run(ctx, env, run.Pick(env, 1200, 300))
	})
	if err != nil {
		return nil, err
	}
	r := &run.Report{Notes: []string{
		"Half of the people pass at Didit at one moment, when half have a URL: that is the burst of reads.",
		"use: writes per second between the 5th and the 95th percentile of the creates, of what Didit allows.",
	}}
	summary := run.Table{Title: fmt.Sprintf("%d signups at once", run.Pick(env, 1200, 300)), Columns: []string{
		"", "worst window: writes", "reads", "429s", "users lost", "two sessions", "use", "last URL", "asked again",
	}}
	for _, c := range results {
		c.summarise(r, &summary)
	}
	r.Tables = append([]run.Table{summary}, r.Tables...)
	return r, nil
}

// run signs all up at once, kills midway, and waits until all have a URL, or for three times as long as it should take.
func (c signupsCase) run(ctx context.Context, env *run.Env, n int) (signupsResult, error) {
	out := signupsResult{signupsCase: c, pace: pace(env), n: n}
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{Partitions: c.partitions, Lasting: c.temporal},
		testbed.Options{Pace: out.pace, Workers: c.workers, Webhook: true})
	if err != nil {
		return out, err
	}
	defer server.Close()
	limit := 3*expected(out.pace, n) + 2*time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	people := t.Users()
	out.began = time.Now()
	names := users("signup", n)
	for _, user := range names {
		people.SignUp(ctx, user, kyc.PriorityInteractive)
	}
	stop := follow(ctx, env, "signups, "+c.name, people, n)
	defer stop()
	passed, err := c.strike(ctx, env, server, t, people, n)
	if err != nil {
		return out, fmt.Errorf("%s: %w", c.name, err)
	}
	_ = people.Wait(ctx) // a user without a URL by then is lost
	out.end = time.Now()
	if t.Ended(ctx, passed) != nil {
		out.unfinished = len(passed)
	}
	out.count(t, people, names)
	return out, nil
}

// strike kills workers while the first half of the people are served, lets that half pass at Didit, and kills Temporal.
// It returns who has passed.
func (c signupsCase) strike(ctx context.Context, env *run.Env, server *testbed.Temporal, t *testbed.Tenant, people *testbed.Users, n int) ([]string, error) {
	draw := rand.New(rand.NewPCG(env.Seed, uint64(c.workers)))
	for i := range c.kills {
		at := n/8 + i*n/4 + draw.IntN(n/8)
		if err := people.Reach(ctx, at); err != nil {
			return nil, err
		}
		env.Say("signups, %s: kill -9 of worker %d", c.name, i%c.workers+1)
		if err := t.Workers[i%c.workers].Kill(ctx); err != nil {
			return nil, err
		}
	}
	if err := people.Reach(ctx, n/2); err != nil {
		return nil, err
	}
	var passed, urls []string
	for user, url := range people.URLs() {
		passed, urls = append(passed, user), append(urls, url)
	}
	if err := testbed.Approve(ctx, urls); err != nil {
		return nil, err
	}
	if !c.temporal {
		return passed, nil
	}
	if err := people.Reach(ctx, 5*n/8); err != nil {
		return nil, err
	}
	env.Say("signups, %s: kill -9 of Temporal", c.name)
	if err := server.Kill(); err != nil {
		return nil, err
	}
	if err := testbed.Sleep(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	return passed, server.Restart(ctx)
}

func (o *signupsResult) count(t *testbed.Tenant, people *testbed.Users, names []string) {
	o.calls, o.servedAt, o.again = t.Calls(), people.ServedAt(), people.Again()
	o.writes, o.reads = t.Usage(diditsim.ScopeWrite), t.Usage(diditsim.ScopeRead)
	o.refused = people.Refused()
	o.lost = o.n - people.Served()
	for _, user := range names {
		if len(t.Sim.SessionsOf(user)) > 1 {
			o.double++
		}
	}
}

// use is the part of Didit's write allowance that was used, in percent.
func (o *signupsResult) use() float64 {
	return percent(o.calls.Writes().Made().Rate(0.05, 0.95), float64(o.pace.Writes)/60)
}

func (o *signupsResult) summarise(r *run.Report, summary *run.Table) {
	use, last := o.use(), o.end.Sub(o.began)
	if len(o.servedAt) > 0 {
		last = o.servedAt[len(o.servedAt)-1].Sub(o.began)
	}
	refusals := o.writes.Refused + o.reads.Refused
	summary.Row(o.name, fmt.Sprintf("%d of %d", o.writes.Worst, o.writes.Limit), fmt.Sprintf("%d of %d", o.reads.Worst, o.reads.Limit),
		refusals, o.lost, o.double, fmt.Sprintf("%.1f %%", use), seconds(last), o.again)
	r.Promise(o.writes.Worst <= o.writes.Limit, "%s: %d writes in a window, Didit allows %d", o.name, o.writes.Worst, o.writes.Limit)
	r.Promise(o.reads.Worst <= o.reads.Limit, "%s: %d reads in a window, Didit allows %d", o.name, o.reads.Worst, o.reads.Limit)
	r.Promise(refusals == 0, "%s: %d calls were answered 429", o.name, refusals)
	r.Safe(o.lost == 0, "%s: %d users have no URL, %d of them were refused one", o.name, o.lost, o.refused)
	r.Safe(o.double == 0, "%s: %d users have two sessions", o.name, o.double)
	r.Safe(o.unfinished == 0, "%s: some of the %d who passed have no outcome", o.name, o.unfinished)
	if o.partitions == 1 && !o.temporal {
		r.Target(use >= 96, "%s: %.1f %% of the write allowance is used, 96 %% was wanted", o.name, use)
	}
	r.Figure(use, "%s: use of the write allowance, percent", o.name)
	r.Figure(last.Seconds(), "%s: last URL, seconds", o.name)
	r.Figure(float64(o.writes.Worst), "%s: worst window of writes", o.name)
	r.Figure(float64(o.reads.Worst), "%s: worst window of reads", o.name)
	r.Tables = append(r.Tables, o.minutes())
	if o.drawn && o.pace == testbed.Didit {
		r.Series = append(r.Series, curve("with Temporal, two workers", o.calls, o.began), limitLine(o.pace, o.end.Sub(o.began)))
	}
}

// minutes is a table of the calls in each minute, or in each window of a model.
func (o *signupsResult) minutes() run.Table {
	table := run.Table{Title: fmt.Sprintf("%s: calls in each window of %s", o.name, seconds(o.pace.Window)),
		Columns: []string{"from", "writes", "reads", "429s", "URLs"}}
	for at := o.began; at.Before(o.end); at = at.Add(o.pace.Window) {
		until := at.Add(o.pace.Window)
		calls, urls := o.calls.Between(at, until), 0
		for _, s := range o.servedAt {
			if !s.Before(at) && s.Before(until) {
				urls++
			}
		}
		table.Row(seconds(at.Sub(o.began)), len(calls.Writes()), len(calls.Reads()), len(calls.Refused()), urls)
	}
	return table
}
