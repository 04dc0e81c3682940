package limits

import (
	"context"
	"fmt"
	"math"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// queue is one of a certain length, at whose end people ask how long it will take.
type queue struct {
	length, samples int
	within          float64 // percent that an answer may be wrong
}

// estimate is an answer, and how long it took.
type estimate struct {
	queue
	ahead     int
	eta, took time.Duration
}

func (g estimate) wrong() float64 {
	return percent(math.Abs(g.eta.Seconds()-g.took.Seconds()), g.took.Seconds())
}

func eta(ctx context.Context, env *run.Env) (*run.Report, error) {
	queues := run.Pick(env, []queue{{100, 5, 25}, {1000, 5, 10}}, []queue{{40, 2, 25}})
	results, err := run.Each(ctx, env, queues, func(ctx context.Context, q queue) ([]estimate, error) { return q.run(ctx, env) })
	if err != nil {
		return nil, err
	}
	r := &run.Report{Notes: []string{"estimate: ops.Client.QueuePosition, asked just before the start of one more user of the same priority."}}
	table := run.Table{Title: "how long will it take?", Columns: []string{"backlog", "ahead", "estimate", "took", "wrong by"}}
	for _, estimates := range results {
		for i, g := range estimates {
			table.Row(g.length, g.ahead, seconds(g.eta), seconds(g.took), fmt.Sprintf("%.1f %%", g.wrong()))
			r.Target(g.wrong() <= g.within, "backlog of %d: estimated %s, took %s: wrong by %.1f %%, at most %.0f %% was wanted",
				g.length, seconds(g.eta), seconds(g.took), g.wrong(), g.within)
			r.Figure(g.wrong(), "backlog %d, sample %d: wrong by, percent", g.length, i+1)
		}
	}
	r.Tables = []run.Table{table}
	return r, nil
}

// run fills the queue, asks, and signs one user up behind it, several times.
func (l queue) run(ctx context.Context, env *run.Env) ([]estimate, error) {
	p := testbed.Didit // a model's queue is over before the server has counted it
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{}, testbed.Options{Pace: p, Workers: 2})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l.samples+1)*expected(p, l.length)+5*time.Minute)
	defer cancel()
	var estimates []estimate
	people := make([]*testbed.Users, l.samples)
	started := 0
	for i := range l.samples {
		served := int(settle.Seconds() * testbed.Rate(p.Writes)) // meanwhile
		more := l.length + served - (started - len(t.Sim.Sessions()))
		if err := t.Backlog(ctx, users(fmt.Sprintf("batch-%d", i+1), more), kyc.PriorityBulk); err != nil {
			return nil, err
		}
		started += more + 1
		if err := testbed.Sleep(ctx, settle); err != nil {
			return nil, err
		}
		turn, err := ops.New(t.Client).QueuePosition(ctx, kyc.PriorityBulk)
		if err != nil {
			return nil, err
		}
		eta, _ := turn.ETA(time.Now())
		estimates = append(estimates, estimate{queue: l, ahead: turn.Ahead, eta: eta})
		people[i] = t.Users()
		people[i].SignUp(ctx, fmt.Sprintf("person-%d", i+1), kyc.PriorityBulk)
		env.Say("eta, backlog of %d: estimated %s", l.length, seconds(eta))
	}
	for i, who := range people {
		if err := who.Wait(ctx); err != nil {
			return nil, err
		}
		if took := who.Took(); len(took) > 0 {
			estimates[i].took = took[0]
		}
	}
	return estimates, nil
}

// settle is for those who have just been started to queue their creates, and for the server to count them: its count is
// up to five seconds old.
const settle = 8 * time.Second
