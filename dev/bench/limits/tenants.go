package limits

import (
	"context"
	"fmt"
	"sync"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// tenants runs two namespaces on one server, each with a worker and a key of its own, both with more to do than they may.
func tenants(ctx context.Context, env *run.Env) (*run.Report, error) {
	return run.One(ctx, env, func(ctx context.Context) (*run.Report, error) { return together(ctx, env, run.Pick(env, 600, 200)) })
}

func together(ctx context.Context, env *run.Env, n int) (*run.Report, error) {
	p := pace(env)
	server, err := testbed.NewTemporal(ctx, env, testbed.TemporalOptions{})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*expected(p, n)+2*time.Minute)
	defer cancel()
	names := []string{"shop", "bank"}
	all := make([]*testbed.Tenant, len(names))
	for i, name := range names {
		if all[i], err = server.Tenant(ctx, testbed.Options{Namespace: name, Pace: p, Workers: 1}); err != nil {
			return nil, err
		}
	}
	env.Say("tenants: two namespaces with %d users each", n)
	signingUp := make([]*testbed.Users, len(names))
	var waiting sync.WaitGroup
	for i, t := range all {
		signingUp[i] = t.Users()
		for _, user := range users("signup", n) { // the same users: namespaces share nothing
			signingUp[i].SignUp(ctx, user, kyc.PriorityInteractive)
		}
		waiting.Go(func() { _ = signingUp[i].Wait(ctx) })
	}
	waiting.Wait()
	r := &run.Report{}
	table := run.Table{Title: fmt.Sprintf("two namespaces, %d signups at once in each", n),
		Columns: []string{"namespace", "worst window: writes", "429s", "users lost", "use", "writes per minute"}}
	sum := 0.0
	for i, t := range all {
		sum += tenantRow(r, &table, names[i], t, n-signingUp[i].Served())
	}
	table.Row("both", "", "", "", fmt.Sprintf("%.1f %%", percent(sum, float64(p.Writes)/60)), 60*sum)
	r.Figure(percent(sum, float64(p.Writes)/60), "both: use of one allowance, percent")
	r.Tables = []run.Table{table}
	return r, nil
}

func tenantRow(r *run.Report, table *run.Table, name string, t *testbed.Tenant, lost int) (rate float64) {
	u := t.Usage(diditsim.ScopeWrite)
	rate = t.Calls().Writes().Made().Rate(0.05, 0.95)
	use := percent(rate, float64(t.Pace.Writes)/60)
	table.Row(name, fmt.Sprintf("%d of %d", u.Worst, u.Limit), u.Refused, lost, fmt.Sprintf("%.1f %%", use), 60*rate)
	r.Promise(u.Worst <= u.Limit, "%s: %d writes in a window, Didit allows %d", name, u.Worst, u.Limit)
	r.Promise(u.Refused == 0, "%s: %d calls were answered 429", name, u.Refused)
	r.Safe(lost == 0, "%s: %d users have no URL", name, lost)
	r.Target(use >= 96, "%s: %.1f %% of the write allowance is used, 96 %% was wanted", name, use)
	r.Figure(use, "%s: use of the write allowance, percent", name)
	r.Figure(float64(u.Worst), "%s: worst window of writes", name)
	return rate
}
