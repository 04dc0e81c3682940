package speed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/world"
	"didit-temporal/dev/postgres"
)

const inMemory = "SQLite in memory"

// stores is what it costs that Temporal's state outlives its process.
func stores(ctx context.Context, env *run.Env) (*run.Report, error) {
	memory, err := newSystem(ctx, env, world.TemporalOptions{}, world.Fast{}, true)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	r, table := &run.Report{}, comparison("the same on other stores of Temporal")
	for _, store := range []struct {
		name string
		o    world.TemporalOptions
	}{{"SQLite in a file", world.TemporalOptions{Lasting: true}}, {"PostgreSQL", world.TemporalOptions{Postgres: true}}} {
		if !env.Wants(store.name) {
			continue
		}
		err := againstMemory(ctx, env, r, &table, memory, store.name, store.o)
		if errors.Is(err, postgres.ErrNotInstalled) {
			r.Notes = append(r.Notes, "PostgreSQL was not measured: it is not installed here.")
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", store.name, err)
		}
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "SQLite writes to its file ahead and does not wait for the disk at each transaction; PostgreSQL, as it is installed by Debian's package, "+
		"does, and Temporal has four history shards in it, as in its own images, where SQLite has one. All is on one machine and one disk.")
	return r, nil
}

// againstMemory compares our system on a store with our system on SQLite in memory.
func againstMemory(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, memory *system, name string, o world.TemporalOptions) error {
	s, err := newSystem(ctx, env, o, world.Fast{}, true)
	if err != nil {
		return err
	}
	defer s.Close()
	users, events := run.Pick(env, 100, 32), run.Pick(env, 400, 64)
	pairs, err := turns(ctx, env, "stores, "+name, fewPairs(env), s.startAndHear(name, users, events), memory.startAndHear(name, users, events))
	if err != nil {
		return err
	}
	compare(r, table, name+", starts, rate", inMemory, pairs["starts"], perSecond, run.Target{})
	compare(r, table, name+", starts, p50", inMemory, pairs["starts p50"], millis, run.Target{})
	compare(r, table, name+", webhooks, rate", inMemory, pairs["webhooks"], perSecond, run.Target{})
	compare(r, table, name+", webhooks, p50", inMemory, pairs["webhooks p50"], millis, run.Target{})
	return nil
}

// startAndHear is a turn of starts, and of webhooks about those who wait then.
func (s *system) startAndHear(name string, users, events int) turn {
	return func(ctx context.Context, i int) (figures, error) {
		about, l, err := s.begin(ctx, fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), i), users)
		if err != nil {
			return nil, err
		}
		started := l.figures()
		heard, err := s.hooked(about, events)(ctx, i)
		return figures{
			"starts": started["rate"], "starts p50": started["p50"], "webhooks": heard["rate"], "webhooks p50": heard["p50"],
		}, err
	}
}
