package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/kyc"
)

// arrivals are people who sign up behind a batch.
type arrivals struct {
	name     string
	priority kyc.Priority
	backlog  int
	people   int
	over     time.Duration // they come at random moments of it
}

type arrivalsResult struct {
	arrivals
	took  []time.Duration
	lost  int
	ahead int // sessions that the batch has got by then, from its start on
}

func priority(ctx context.Context, env *run.Env) (*run.Report, error) {
	short := arrivals{backlog: 300, people: 20, over: 5 * time.Second}
	full := arrivals{backlog: 5000, people: 50, over: time.Minute}
	first := run.Pick(env, full, short)
	second := first
	first.name, first.priority = "people first", kyc.PriorityInteractive
	second.name, second.priority = "everybody bulk", kyc.PriorityBulk
	results, err := run.Each(ctx, env, []arrivals{first, second}, func(ctx context.Context, a arrivals) (arrivalsResult, error) { return a.run(ctx, env) })
	if err != nil {
		return nil, err
	}
	r := &run.Report{}
	table := run.Table{Title: fmt.Sprintf("%d people come within %v, behind a batch of %d", results[0].people, results[0].over, results[0].backlog),
		Columns: []string{"", "URL after: p50", "p99", "slowest", "without a URL", "sessions of the batch since it was started"}}
	for _, x := range results {
		table.Row(x.name, seconds(quantile(x.took, 0.5)), seconds(quantile(x.took, 0.99)), seconds(quantile(x.took, 1)), x.lost, x.ahead)
		r.Safe(x.lost == 0, "%s: %d people have no URL", x.name, x.lost)
		r.Figure(quantile(x.took, 0.5).Seconds(), "%s: p50, seconds", x.name)
		r.Figure(quantile(x.took, 0.99).Seconds(), "%s: p99, seconds", x.name)
	}
	r.Tables = []run.Table{table}
	return r, nil
}

func (x arrivals) run(ctx context.Context, env *run.Env) (arrivalsResult, error) {
	out := arrivalsResult{arrivals: x}
	p := pace(env)
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{}, testbed.Options{Pace: p, Workers: 2})
	if err != nil {
		return out, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, expected(p, x.backlog+x.people)+5*time.Minute)
	defer cancel()
	if err := t.Backlog(ctx, users("batch", x.backlog), kyc.PriorityBulk); err != nil {
		return out, err
	}
	env.Say("priority, %s: %d wait", x.name, x.backlog)
	draw := rand.New(rand.NewPCG(env.Seed, 2))
	moments := make([]time.Duration, x.people)
	for i := range moments {
		moments[i] = time.Duration(draw.Int64N(int64(x.over)))
	}
	slices.Sort(moments)
	people, began := t.Users(), time.Now()
	stop := follow(ctx, env, "priority, "+x.name, people, x.people)
	defer stop()
	for i, at := range moments {
		if err := testbed.Sleep(ctx, time.Until(began.Add(at))); err != nil {
			return out, err
		}
		people.SignUp(ctx, fmt.Sprintf("person-%d", i+1), x.priority)
	}
	_ = people.Wait(ctx)
	out.took, out.lost = people.Took(), x.people-people.Served()
	out.ahead = len(t.Sim.Sessions()) - people.Served()
	return out, nil
}

// quantile of sorted durations; the least that is not below q of them.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, int(q*float64(len(d))))]
}
