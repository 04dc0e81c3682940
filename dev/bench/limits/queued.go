package limits

import (
	"context"
	"fmt"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// queued starts a batch that needs half an hour of Didit's limit, and counts at the end who has a session.
func queued(ctx context.Context, env *run.Env) (*run.Report, error) {
	return run.One(ctx, env, func(ctx context.Context) (*run.Report, error) { return drain(ctx, env, run.Pick(env, 10_000, 400)) })
}

func drain(ctx context.Context, env *run.Env, n int) (*run.Report, error) {
	p := pace(env)
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{Lasting: true}, testbed.Options{Pace: p, Workers: 2})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*expected(p, n)+2*time.Minute)
	defer cancel()
	began := time.Now()
	names := users("queued", n)
	if err := t.Backlog(ctx, names, kyc.PriorityBulk); err != nil {
		return nil, err
	}
	started := time.Since(began)
	logged := time.Now()
	for len(t.Sim.Sessions()) < n {
		if time.Since(logged) > 20*time.Second {
			logged = time.Now()
			env.Say("queued: %d of %d have a session", len(t.Sim.Sessions()), n)
		}
		if testbed.Sleep(ctx, 200*time.Millisecond) != nil {
			break
		}
	}
	took := time.Since(began)
	lost, double := 0, 0
	for _, user := range names {
		if n := len(t.Sim.SessionsOf(user)); n == 0 {
			lost++
		} else if n > 1 {
			double++
		}
	}
	u := t.Usage(diditsim.ScopeWrite)
	use := percent(t.Calls().Writes().Made().Rate(0.05, 0.95), float64(p.Writes)/60)
	r := &run.Report{}
	table := run.Table{Title: fmt.Sprintf("%d creates at once", n), Columns: []string{"", ""}}
	table.Row("all of them were queued after", seconds(started))
	table.Row("the last session was made after", seconds(took))
	table.Row("users without a session", lost)
	table.Row("users with two", double)
	table.Row("worst window of writes", fmt.Sprintf("%d of %d", u.Worst, u.Limit))
	table.Row("429s", u.Refused)
	table.Row("use of the write allowance", fmt.Sprintf("%.1f %%", use))
	r.Safe(lost == 0, "%d users have no session", lost)
	r.Safe(double == 0, "%d users have two sessions", double)
	r.Promise(u.Worst <= u.Limit, "%d writes in a window, Didit allows %d", u.Worst, u.Limit)
	r.Promise(u.Refused == 0, "%d calls were answered 429", u.Refused)
	r.Target(use >= 96, "%.1f %% of the write allowance is used, 96 %% was wanted", use)
	r.Figure(took.Seconds(), "last session, seconds")
	r.Figure(use, "use of the write allowance, percent")
	r.Figure(float64(u.Worst), "worst window of writes")
	r.Tables = []run.Table{table}
	return r, nil
}
