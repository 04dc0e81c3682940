package speed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/postgres"
)

// store is where Temporal keeps its state.
type store struct {
	name  string
	o     testbed.TemporalOptions
	quick bool // a measurement takes a second or two
	rate  int  // of starts a second, about half of what a machine with two cores does
	// waiting is the number of verifications where many are to wait: as many as begin in a few minutes.
	waiting int
	burst   int // of starts
}

var (
	inMemory   = store{name: "SQLite in memory", quick: true, rate: 50, waiting: 10_000, burst: 500}
	inFile     = store{name: "SQLite in a file", o: testbed.TemporalOptions{Lasting: true}}
	onPostgres = store{name: "PostgreSQL", o: testbed.TemporalOptions{Postgres: true}, rate: 25, waiting: 2400, burst: 250}
)

const noPostgres = "PostgreSQL was not measured: it is not installed here."

// pairs are as many as there is time for: more where a measurement is short, so that the interval is narrower.
func (s store) pairs(env *run.Env) int {
	if s.quick {
		return run.Pick(env, 2*env.Pairs, 1)
	}
	return pairsOf(env)
}

// of is the name of a figure that was measured on the store.
func (s store) of(figure string) string { return figure + ", " + s.name }

// onStores runs a benchmark on the store that companies run, and on the one that has nothing but the processor to wait for.
// note is for the reader of the tables.
func onStores(env *run.Env, note string, measure func(r *run.Report, on store) error) (*run.Report, error) {
	r := &run.Report{}
	for _, on := range run.Pick(env, []store{onPostgres, inMemory}, []store{inMemory}) {
		if !env.Wants(on.name) {
			continue
		}
		err := measure(r, on)
		if errors.Is(err, postgres.ErrNotInstalled) {
			r.Notes = append(r.Notes, noPostgres)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", on.name, err)
		}
	}
	r.Notes = append(r.Notes, note)
	return r, nil
}

// stores is what it costs that Temporal's state outlives its process.
func stores(ctx context.Context, env *run.Env) (*run.Report, error) {
	memory, err := newSystem(ctx, env, inMemory.o, testbed.Fast{}, true)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	r, table := &run.Report{}, comparison("the same on other stores of Temporal")
	for _, other := range []store{inFile, onPostgres} {
		if !env.Wants(other.name) {
			continue
		}
		err := againstMemory(ctx, env, r, &table, memory, other)
		if errors.Is(err, postgres.ErrNotInstalled) {
			r.Notes = append(r.Notes, noPostgres)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", other.name, err)
		}
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "SQLite writes to its file ahead and does not wait for the disk at each transaction; PostgreSQL, as it is installed by Debian's package, "+
		"does, and Temporal has four history shards in it, as in its own images, where SQLite has one. All is on one machine and one disk.")
	return r, nil
}

// againstMemory compares our system on a store with our system on SQLite in memory.
func againstMemory(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, memory *system, other store) error {
	s, err := newSystem(ctx, env, other.o, testbed.Fast{}, true)
	if err != nil {
		return err
	}
	defer s.Close()
	users, events := run.Pick(env, 100, 32), run.Pick(env, 400, 64)
	pairs, err := s.alternate(ctx, env, "stores, "+other.name, fewPairs(env),
		s.startAndSend(other.name, users, events), memory.startAndSend(other.name, users, events))
	if err != nil {
		return err
	}
	compare(r, table, other.of("starts, rate"), inMemory.name, pairs["starts"], perSecond, run.Target{})
	compare(r, table, other.of("starts, p50"), inMemory.name, pairs["starts p50"], millis, run.Target{})
	compare(r, table, other.of("webhooks, rate"), inMemory.name, pairs["webhooks"], perSecond, run.Target{})
	compare(r, table, other.of("webhooks, p50"), inMemory.name, pairs["webhooks p50"], millis, run.Target{})
	return nil
}

// startAndSend measures starts, and of webhooks about those who wait then.
func (s *system) startAndSend(name string, users, events int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		about, l, err := s.begin(ctx, fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), i), users)
		if err != nil {
			return nil, err
		}
		started := l.figures()
		webhooks, err := s.hooked(about, events)(ctx, i)
		return figures{
			"starts": started["rate"], "starts p50": started["p50"], "webhooks": webhooks["rate"], "webhooks p50": webhooks["p50"],
		}, err
	}
}
