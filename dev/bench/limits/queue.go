package limits

import (
	"context"
	"fmt"
	"math"
	"time"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// queue starts a batch that needs half an hour of Didit's limit. People come behind it, who go first, and now and then one who
// does not, and who asks how long it will take. At the end all must have a session.
func queue(ctx context.Context, env *run.Env) (*run.Report, error) {
	q := backlog{env: env, batch: run.Pick(env, 10_000, 300), people: run.Pick(env, 50, 10), asks: run.Pick(env, []int{10_000, 1000, 100}, []int{100})}
	return q.run(ctx)
}

type backlog struct {
	env           *run.Env
	batch, people int
	asks          []int // how many are left when a user joins the end of the queue

	began   time.Time
	started time.Duration // until the batch was queued
}

// estimate is the wait that a user is told, and the wait that it was.
type estimate struct {
	left int
	eta  time.Duration
	who  *testbed.Users
}

func (q *backlog) run(ctx context.Context) (*run.Report, error) {
	p := pace(q.env)
	server, t, err := testbed.New(ctx, q.env, testbed.TemporalOptions{Lasting: true}, testbed.Options{Pace: p, Workers: 2})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*expected(p, q.batch)+5*time.Minute)
	defer cancel()
	q.began = time.Now()
	names := users("queued", q.batch)
	if err := t.Backlog(ctx, names, kyc.PriorityBulk); err != nil {
		return nil, err
	}
	q.started = time.Since(q.began)
	first := t.Users()
	for i := range q.people {
		first.SignUp(ctx, fmt.Sprintf("person-%d", i+1), kyc.PriorityInteractive)
		if err := testbed.Sleep(ctx, p.Window/time.Duration(q.people)); err != nil {
			return nil, err
		}
	}
	estimates, err := q.ask(ctx, t)
	if err != nil {
		return nil, err
	}
	first.Wait() // who has no URL by then is lost
	for _, e := range estimates {
		e.who.Wait()
	}
	return q.report(t, names, first, estimates), nil
}

// ask lets one more join the queue whenever so many are left, who has asked how long it will take.
func (q *backlog) ask(ctx context.Context, t *testbed.Tenant) (all []estimate, err error) {
	said := time.Now()
	for _, left := range q.asks {
		for q.batch-len(t.Sim.Sessions()) > left {
			if time.Since(said) > 20*time.Second {
				said = time.Now()
				q.env.Say("queue: %d of %d have a session", len(t.Sim.Sessions()), q.batch)
			}
			if err := testbed.Sleep(ctx, 200*time.Millisecond); err != nil {
				return nil, err
			}
		}
		position, err := ops.New(t.Client).QueuePosition(ctx, kyc.PriorityBulk)
		if err != nil {
			return nil, err
		}
		e := estimate{left: position.Ahead, who: t.Users()}
		e.eta, _ = position.ETA(time.Now())
		e.who.SignUp(ctx, fmt.Sprintf("asked-%d", left), kyc.PriorityBulk)
		all = append(all, e)
	}
	return all, nil
}

func (q *backlog) report(t *testbed.Tenant, names []string, first *testbed.Users, estimates []estimate) *run.Report {
	r, u := &run.Report{}, t.Sim.Counted(diditsim.ScopeWrite)
	lost, double := sessions(t.Sim, names)
	use := percent(t.Sim.Granted().Rate(0.05, 0.95), float64(t.Pace.Writes)/60)
	table := run.Table{Title: fmt.Sprintf("%d creates at once, and %d people who come behind them", q.batch, q.people), Columns: []string{"", ""}}
	table.Row("all of them were queued after", seconds(q.started))
	table.Row("the last session was made after", seconds(time.Since(q.began)))
	table.Row("users without a session, users with two", fmt.Sprint(lost, ", ", double))
	table.Row("worst window of writes, 429s", fmt.Sprintf("%d of %d, %d", u.Worst, u.Limit, u.Refused))
	table.Row("use of the write allowance", fmt.Sprintf("%.1f %%", use))
	for _, p := range []float64{0.5, 0.99} {
		table.Row(fmt.Sprintf("people who go first: URL after, p%.0f", 100*p), fmt.Sprintf("%.1f s", ratio.Quantile(first.Took(), p)))
	}
	for _, e := range estimates {
		took := ratio.Median(e.who.Took())
		wrong := percent(math.Abs(e.eta.Seconds()-took), took)
		table.Row(fmt.Sprintf("%d ahead: estimated, took, wrong by", e.left), fmt.Sprintf("%s, %.1f s, %.1f %%", seconds(e.eta), took, wrong))
		r.Target(q.env.Short || wrong <= 25, "%d ahead: wrong by %.1f %%, at most 25 %% was wanted", e.left, wrong)
	}
	r.Safe(lost == 0 && first.Served() == q.people, "%d users of the batch have no session, %d of %d people have a URL", lost, first.Served(), q.people)
	r.Safe(double == 0, "%d users have two sessions", double)
	r.Promise(u.Worst <= u.Limit && u.Refused == 0, "%d writes in a window, Didit allows %d; %d calls were answered 429", u.Worst, u.Limit, u.Refused)
	r.Target(use >= 96, "%.1f %% of the write allowance is used, 96 %% was wanted", use)
	r.Tables = []run.Table{table}
	return r
}
