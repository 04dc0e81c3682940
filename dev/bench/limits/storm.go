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

// inFlight is how long after a refusal has left Didit a call may arrive that its worker had sent before it knew.
const inFlight = 250 * time.Millisecond

// stormPlan is the plan of a storm.
type stormPlan struct {
	workers      int
	perSecond    float64 // people who sign up
	before, last time.Duration
	retryAfter   time.Duration
	after        time.Duration // people go on signing up for so long
}

func storm(ctx context.Context, env *run.Env) (*run.Report, error) {
	g := run.Pick(env,
		stormPlan{workers: 2, perSecond: 4, before: 30 * time.Second, last: 2 * time.Minute, retryAfter: 20 * time.Second, after: 30 * time.Second},
		stormPlan{workers: 2, perSecond: 10, before: 3 * time.Second, last: 14 * time.Second, retryAfter: 5 * time.Second, after: 2 * time.Second})
	return run.One(ctx, env, func(ctx context.Context) (*run.Report, error) { return g.run(ctx, env) })
}

func (g stormPlan) run(ctx context.Context, env *run.Env) (*run.Report, error) {
	p := pace(env)
	server, t, err := testbed.New(ctx, env, testbed.TemporalOptions{}, testbed.Options{Pace: p, Workers: g.workers})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*(g.before+g.last+g.after)+2*time.Minute)
	defer cancel()
	people := t.Users()
	loading, n := make(chan error, 1), int(g.perSecond*(g.before+g.last+g.after).Seconds())
	stop := follow(ctx, env, "storm", people, n)
	defer stop()
	go func() { loading <- load(ctx, people, n, g.perSecond) }()
	if err := testbed.Sleep(ctx, g.before); err != nil {
		return nil, err
	}
	env.Say("storm: Didit refuses every write for %v", g.last)
	began := time.Now()
	t.Sim.Throttle(diditsim.ScopeWrite, g.last, g.retryAfter)
	if err := <-loading; err != nil {
		return nil, err
	}
	_ = people.Wait(ctx) // who has no URL by then is lost
	return g.report(t, people, n, began), nil
}

// load lets n people sign up at a steady rate.
func load(ctx context.Context, people *testbed.Users, n int, perSecond float64) error {
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer tick.Stop()
	for i := range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		people.SignUp(ctx, fmt.Sprintf("storm-%d", i+1), kyc.PriorityInteractive)
	}
	return nil
}

func (g stormPlan) report(t *testbed.Tenant, people *testbed.Users, n int, began time.Time) *run.Report {
	r, calls := &run.Report{}, t.Calls().Writes()
	table := run.Table{
		Title:   fmt.Sprintf("all writes are refused for %v, Retry-After %v, %d workers, %.0f signups per second", g.last, g.retryAfter, g.workers, g.perSecond),
		Columns: []string{"worker", "429s", "before the first answer", "during Retry-After", "probes by Retry-After period"},
	}
	var free time.Time // when the last worker is allowed to call again
	for i := range g.workers {
		by := fmt.Sprintf("worker-%d", i+1)
		w := watch(calls.Where(func(c testbed.Call) bool { return c.By == by }))
		table.Row(by, w.refused, w.flying, w.early, w.probes)
		r.Promise(w.early == 0, "%s made %d calls during Retry-After", by, w.early)
		for _, n := range w.probes {
			r.Promise(n == 1, "%s made %d calls at the end of a Retry-After, one was wanted", by, n)
		}
		free = latest(free, w.until)
	}
	end := began.Add(g.last)
	full := atFullRate(calls.Made(), end, testbed.Rate(t.Pace.Writes))
	lost := n - people.Served()
	rest := run.Table{Title: "afterwards", Columns: []string{"", ""}}
	rest.Row("users", n)
	rest.Row("users without a URL", lost)
	rest.Row("verifications that failed", people.Refused())
	rest.Row("worst window of accepted writes", fmt.Sprintf("%d of %d", calls.Made().Worst(t.Pace.Window), t.Pace.Allowed(t.Pace.Writes)))
	rest.Row("the last Retry-After ended, after the storm", seconds(free.Sub(end)))
	rest.Row("full rate, after the storm", seconds(full.Sub(end)))
	delay := max(0, full.Sub(latest(free, end)))
	rest.Row("full rate, after the last Retry-After", seconds(delay))
	r.Safe(lost == 0, "%d users have no URL", lost)
	r.Safe(people.Refused() == 0, "%d verifications failed", people.Refused())
	r.Target(delay <= 10*time.Second, "full rate %s after the storm and its last Retry-After, 10 s was wanted", seconds(delay))
	r.Figure(full.Sub(end).Seconds(), "full rate after the storm, seconds")
	r.Figure(delay.Seconds(), "full rate after the last Retry-After, seconds")
	r.Tables = []run.Table{table, rest}
	r.Notes = []string{fmt.Sprintf("A call that arrives within %v of the answer 429 was sent before its worker knew. "+
		"Full rate: ten seconds (two in a short run) with nine tenths of the queue's rate begin.", inFlight)}
	return r
}

// watched is how one worker behaved.
type watched struct {
	refused int
	flying  int       // refused calls that came before the first refusal was known
	early   int       // calls during Retry-After
	probes  []int     // calls at the end of each Retry-After, until one was accepted
	until   time.Time // the end of the last Retry-After
}

// watch goes through the writes of one worker. A period is from a refusal to the end of its Retry-After; what is refused
// after that begins the next one.
func watch(calls testbed.Calls) watched {
	var w watched
	var known time.Time // when the refusal that began this period was known
	for _, c := range calls {
		refused := c.Code == 429
		switch {
		case w.until.IsZero() && !refused: // before the storm
			continue
		case w.until.IsZero():
			w.flying++
			known = c.Answered
		case c.At.Before(known.Add(inFlight)) && len(w.probes) == 0:
			w.flying++
		case c.At.Before(known.Add(inFlight)) && refused:
			w.probes[len(w.probes)-1]++
		case c.At.Before(w.until):
			w.early++
		case refused:
			w.probes = append(w.probes, 1)
			known = c.Answered
		default: // the storm is over
			w.probes = append(w.probes, 1)
			return w
		}
		if refused {
			w.refused++
			w.until = latest(w.until, c.Answered.Add(c.RetryAfter))
		}
	}
	return w
}

// atFullRate is the first moment from which on the queue's rate is reached.
func atFullRate(made testbed.Calls, from time.Time, rate float64) time.Time {
	span := 10 * time.Second
	if rate > 10 {
		span = 2 * time.Second
	}
	if len(made) == 0 {
		return from.Add(time.Hour)
	}
	for at := from; at.Before(made[len(made)-1].At); at = at.Add(100 * time.Millisecond) {
		if float64(len(made.Between(at, at.Add(span)))) >= 0.9*rate*span.Seconds() {
			return at
		}
	}
	return made[len(made)-1].At
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
