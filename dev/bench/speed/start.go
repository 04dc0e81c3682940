package speed

import (
	"context"
	"fmt"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

// start is how fast verifications come to the point where they wait for their users.
func start(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "The peer starts by Update-With-Start too. Ours calls Didit (simulated, which answers at once) in addition. " +
		"The second peer also lists what it waits for, as ours does: with the start, and by one search-attribute event, " +
		"which is one more write to Temporal's visibility store. The difference between the rows is its price."
	return onStores(env, note, func(r *run.Report, on store) error { return startOn(ctx, env, r, on) })
}

func startOn(ctx context.Context, env *run.Env, r *run.Report, on store) error {
	s, err := newSystem(ctx, env, on.o, testbed.Fast{Peer: true}, false)
	if err != nil {
		return err
	}
	defer s.Close()
	pairs, n := pairsOf(env), run.Pick(env, env.Times(on.burst, 20), 32)
	ours := func(name string, n int) measurement {
		return s.serverTime(n, func(ctx context.Context, i int) (figures, error) {
			_, l, err := s.begin(ctx, fmt.Sprintf("%s-%d", name, i), n)
			return l.figures(), err
		})
	}
	theirs := func(name string, n int, in bare.Input) measurement {
		return s.serverTime(n, func(ctx context.Context, i int) (figures, error) {
			_, l, err := s.bareBegin(ctx, fmt.Sprintf("%s-%d", name, i), n, in)
			return l.figures(), err
		})
	}
	measured, err := s.alternate(ctx, env, on.of("start"), pairs, ours("start", n), theirs("bare", n, bare.Input{Timer: true}))
	if err != nil {
		return err
	}
	some := max(20, n/2)
	listed, err := s.alternate(ctx, env, on.of("start, with attributes"), pairsOf(env), ours("start-listed", some), theirs("listed", some, bare.Input{Timer: true, Upsert: true}))
	if err != nil {
		return err
	}
	table := comparison(fmt.Sprintf("start until it waits, %d users in bursts of %d, %d at a time, Didit's limit lifted, Temporal on %s", pairs*n, n, connections, on.name))
	const peer, inList = "bare workflow, one activity, one timer", ", in the operators' list"
	compare(r, &table, on.of("starts, rate"), peer, measured["rate"], perSecond, run.AtLeast(0.9))
	compare(r, &table, on.of("starts, rate, against a listed one"), peer+inList, listed["rate"], perSecond, run.AtLeast(0.9))
	compare(r, &table, on.of("starts, p50"), peer, measured["p50"], millis, run.Target{})
	compare(r, &table, on.of("starts, p99"), peer, measured["p99"], millis, run.Target{})
	compare(r, &table, on.of("starts, Temporal's processor time"), peer, measured["server"], millis, run.Target{})
	compare(r, &table, on.of("starts, Temporal's processor time, against a listed one"), peer+inList, listed["server"], millis, run.Target{})
	r.Tables = append(r.Tables, table)
	return nil
}
