// Package speed measures how fast the system is, each figure against a peer or a floor that is measured in turns with it, in
// the same run and on the same Temporal server.
package speed

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

const group = "performance"

// Benchmarks lists them.
func Benchmarks() []run.Bench {
	all := []run.Bench{
		{Name: "post", About: "POST /v1/verifications until the URL is there, against bare Update-With-Start", Run: post},
		{Name: "webhook", About: "webhooks stored by Temporal, against a bare signal and against Didit's published example", Run: webhooks},
		{Name: "forged", About: "forged webhooks refused, against a handler of gin that refuses at once", Run: forged},
		{Name: "verify", About: "signatures checked, against a bare HMAC and against Python", Run: verify},
		{Name: "start", About: "start until a verification waits, against a bare workflow", Run: start},
		{Name: "verdict", About: "verdict's webhook until the result is delivered, against a bare workflow", Run: verdict},
		{Name: "history", About: "events, bytes and billable actions of a verification", Run: history},
		{Name: "waiting", About: "memory and disk of verifications that wait", Run: waiting, Picture: memory},
		{Name: "stores", About: "the system on SQLite in a file and on PostgreSQL, against SQLite in memory", Run: stores},
		{Name: "scaling", About: "more workers and more webhook processes on one machine", Run: scaling},
	}
	for i := range all {
		all[i].Group, all[i].Alone = group, true
	}
	return all
}

// figures are what one measurement has found, by name.
type figures map[string]float64

// measurement measures one side once; i numbers the pairs.
type measurement func(ctx context.Context, i int) (figures, error)

// alternate lets ours and theirs measure n times each, in turns; who begins changes from pair to pair. The first pair, in
// which connections are made and caches are filled, is left out.
func alternate(ctx context.Context, env *run.Env, name string, n int, ours, theirs measurement) (map[string]*ratio.Pairs, error) {
	pairs, said := map[string]*ratio.Pairs{}, time.Now()
	for i := range n + 1 {
		a, b, err := pair(ctx, i, ours, theirs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if i == 0 {
			continue
		}
		for what := range a {
			if pairs[what] == nil {
				pairs[what] = &ratio.Pairs{}
			}
			pairs[what].Add(a[what], b[what])
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			env.Say("%s: %d of %d pairs", name, i, n)
		}
	}
	for _, what := range []string{"rate", "p50"} {
		if p := pairs[what]; p != nil {
			x := p.Ratio()
			env.Say("%s: %s %.2f (%.2f to %.2f) of the other's", name, what, x.Median, x.Low, x.High)
		}
	}
	return pairs, nil
}

func pair(ctx context.Context, i int, ours, theirs measurement) (a, b figures, err error) {
	if i%2 == 1 {
		if b, err = theirs(ctx, i); err == nil {
			a, err = ours(ctx, i)
		}
		return a, b, err
	}
	if a, err = ours(ctx, i); err == nil {
		b, err = theirs(ctx, i)
	}
	return a, b, err
}

// alternate waits for an idle system before each measurement: what one side has left to do must not disturb the other.
func (s *system) alternate(ctx context.Context, env *run.Env, name string, n int, ours, theirs measurement) (map[string]*ratio.Pairs, error) {
	idle := func(t measurement) measurement {
		return func(ctx context.Context, i int) (figures, error) {
			if err := s.waitIdle(ctx); err != nil {
				return nil, err
			}
			return t(ctx, i)
		}
	}
	return alternate(ctx, env, name, n, idle(ours), idle(theirs))
}

// waitIdle waits until Temporal and the workers do next to nothing, or for ten seconds.
func (s *system) waitIdle(ctx context.Context) error {
	const interval = 250 * time.Millisecond
	for range 40 {
		before, err := s.busy(ctx)
		if err == nil {
			err = testbed.Sleep(ctx, interval)
		}
		if err != nil {
			return err
		}
		if after, err := s.busy(ctx); err != nil || after-before <= interval/5 {
			return err
		}
	}
	return nil
}

// busy is the processor time that Temporal and all workers have used.
func (s *system) busy(ctx context.Context) (time.Duration, error) {
	server, err := usageOf(s.server.PID())
	if err != nil {
		return 0, err
	}
	sum := server.cpu
	for _, p := range append(slices.Clone(s.Workers), s.Peer) {
		if p == nil {
			continue
		}
		u, err := programUsage(ctx, p)
		if err != nil {
			return 0, err
		}
		sum += u.cpu
	}
	return sum, nil
}

// pairsOf is how many pairs are measured.
func pairsOf(env *run.Env) int { return run.Pick(env, env.Pairs, 1) }

// fewPairs are enough for a ratio without a target, which is not judged.
func fewPairs(env *run.Env) int { return min(pairsOf(env), 12) }

// comparison is a table of ratios.
func comparison(title string) run.Table {
	return run.Table{Title: title, Columns: []string{"figure", "ours", "peer's", "peer", "ratio (95 %)", "target", ""}}
}

// compare adds a ratio to a table and to the report.
func compare(r *run.Report, t *run.Table, name, peer string, p *ratio.Pairs, show func(float64) string, target run.Target) {
	x := r.Compare(name, peer, p, target)
	t.Row(name, show(x.Ours), show(x.Theirs), peer, x.Interval(), target.String(), x.Verdict())
}

func millis(s float64) string    { return fmt.Sprintf("%.1f ms", 1000*s) }
func micros(s float64) string    { return fmt.Sprintf("%.1f µs", 1e6*s) }
func perSecond(x float64) string { return fmt.Sprintf("%.0f/s", x) }

// system is a server with our programs on it.
type system struct {
	*testbed.Tenant
	server *testbed.Temporal
	flood  *flood
	plain  client.Client // the peers': Temporal's SDK as it comes
	users  sync.Map      // that were started
}

// newSystem starts one with one worker.
func newSystem(ctx context.Context, env *run.Env, to testbed.TemporalOptions, f testbed.Fast, webhook bool) (*system, error) {
	server, tenant, err := testbed.New(ctx, env, to, testbed.Options{Pace: testbed.Lifted, Workers: 1, Webhook: webhook, Fast: &f})
	if err != nil {
		return nil, err
	}
	plain, err := client.DialContext(ctx, client.Options{
		HostPort: server.Address, Namespace: tenant.Namespace(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		server.Close()
		return nil, err
	}
	return &system{server: server, Tenant: tenant, flood: newFlood(), plain: plain}, nil
}

// Close stops all.
func (s *system) Close() {
	s.flood.close()
	s.plain.Close()
	s.server.Close()
}

// serverTime adds to the figures of a measurement of n how much of Temporal's own processor time each of them took.
func (s *system) serverTime(n int, t measurement) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		before, err := usageOf(s.server.PID())
		if err != nil {
			return nil, err
		}
		f, err := t(ctx, i)
		if err != nil {
			return nil, err
		}
		after, err := usageOf(s.server.PID())
		f["server"] = (after.cpu - before.cpu).Seconds() / float64(n)
		return f, err
	}
}
