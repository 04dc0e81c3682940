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

func signups(ctx context.Context, env *run.Env) (*run.Report, error) {
	n, chosen := run.Pick(env, 1200, 300), run.Pick(env, signupsCases, signupsCases[1:2])
	ended, err := run.Each(ctx, env, chosen, func(ctx context.Context, c signupsCase) (func(*run.Report, *run.Table), error) {
		return c.run(ctx, env, n)
	})
	if err != nil {
		return nil, err
	}
	r := &run.Report{Notes: []string{
		"Half of the people pass at Didit at one moment, when half have a URL: that is the burst of reads.",
		"use: writes per second between the 5th and the 95th percentile of the creates, of what Didit allows.",
	}}
	table := run.Table{
		Title:   fmt.Sprintf("%d signups at once", n),
		Columns: []string{"", "worst window: writes", "reads", "429s", "users lost", "two sessions", "use", "last URL"},
	}
	for _, report := range ended {
		report(r, &table)
	}
	r.Tables = []run.Table{table}
	return r, nil
}

// run signs all up at once, kills midway, and waits until all have a URL, or for three times as long as it should take. What it
// returns reports.
func (c signupsCase) run(ctx context.Context, env *run.Env, n int) (func(*run.Report, *run.Table), error) {
	p := pace(env)
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{Partitions: c.partitions, Lasting: c.temporal},
		testbed.Options{Pace: p, Workers: c.workers, Webhook: true})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*expected(p, n)+2*time.Minute)
	defer cancel()
	people, began, names := t.Users(), time.Now(), users("signup", n)
	for _, user := range names {
		people.SignUp(ctx, user, kyc.PriorityInteractive)
	}
	stop := follow(ctx, env, "signups, "+c.name, people, n)
	defer stop()
	passed, err := c.strike(ctx, env, server, t, people, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	people.Wait() // a user without a URL by then is lost
	ended := t.Ended(ctx, passed)
	_, double := sessions(t.Sim, names)
	writes, reads := t.Sim.Counted(diditsim.ScopeWrite), t.Sim.Counted(diditsim.ScopeRead)
	use, lost := percent(t.Sim.Granted().Rate(0.05, 0.95), float64(p.Writes)/60), n-people.Served()
	return func(r *run.Report, table *run.Table) {
		table.Row(c.name, fmt.Sprintf("%d of %d", writes.Worst, writes.Limit), fmt.Sprintf("%d of %d", reads.Worst, reads.Limit),
			writes.Refused+reads.Refused, lost, double, fmt.Sprintf("%.1f %%", use), seconds(people.Last().Sub(began)))
		r.Promise(writes.Worst <= writes.Limit, "%s: %d writes in a window, Didit allows %d", c.name, writes.Worst, writes.Limit)
		r.Promise(reads.Worst <= reads.Limit, "%s: %d reads in a window, Didit allows %d", c.name, reads.Worst, reads.Limit)
		r.Promise(writes.Refused+reads.Refused == 0, "%s: %d calls were answered 429", c.name, writes.Refused+reads.Refused)
		r.Safe(lost == 0 && double == 0, "%s: %d users have no URL, %d have two sessions", c.name, lost, double)
		r.Safe(ended == nil, "%s: some of the %d who passed have no outcome: %v", c.name, len(passed), ended)
		r.Target(c.partitions > 1 || c.temporal || use >= 96, "%s: %.1f %% of the write allowance is used, 96 %% was wanted", c.name, use)
		if c.drawn && p == testbed.Didit {
			limit := run.Series{Name: "Didit's limit", Step: (people.Last().Sub(began) + p.Window).Seconds(), Y: []float64{float64(p.Writes), float64(p.Writes)}}
			r.Series = append(r.Series, curve("with Temporal, two workers", t.Sim.Sent(), began), limit)
		}
	}, nil
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
	err := testbed.Approve(ctx, urls)
	if err != nil || !c.temporal {
		return passed, err
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
