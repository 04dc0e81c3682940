// Package speed measures how fast the system is and what it uses, each figure against a floor or an older build that is
// measured in turns with it, in the same run and on the same Temporal server.
package speed

import (
	"context"
	"errors"
	"fmt"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/postgres"
)

// Benchmarks lists them.
func Benchmarks() []run.Bench {
	all := []run.Bench{
		{Name: "happy", About: "one verification with callback: processor time, events, list writes, billable actions", Run: happy},
		{Name: "verdict", About: "verdict's webhook until the result is delivered, against a bare workflow", Run: verdict},
		{Name: "start", About: "start until a verification waits, against a bare workflow", Run: start},
		{Name: "waiting", About: "memory of the worker and bytes of the database while many wait", Run: waiting},
		{Name: "webhook", About: "webhooks of 4 KB stored by Temporal, against a bare signal", Run: webhooks},
		{Name: "post", About: "POST /v1/verifications until the URL is there, against bare Update-With-Start", Run: post},
		{Name: "growth", About: "processor time, memory and webhooks while 1,000 to 50,000 wait", Run: growth, Extra: true},
	}
	for i := range all {
		all[i].Group, all[i].Against = "performance", true
	}
	return all
}

// store is where Temporal keeps its state.
type store struct {
	name  string
	o     testbed.TemporalOptions
	rate  int // of starts a second, about half of what a machine with two cores does
	burst int // of starts
}

var (
	inMemory   = store{name: "SQLite in memory", rate: 50, burst: 500}
	onPostgres = store{name: "PostgreSQL", o: testbed.TemporalOptions{Postgres: true}, rate: 25, burst: 250}
)

// of is the name of a figure that was measured on the store.
func (s store) of(figure string) string { return figure + ", " + s.name }

// onStores runs a benchmark on the store that companies run, and on the one that has nothing but the processor to wait for.
// note is for the reader of the tables.
func onStores(ctx context.Context, env *run.Env, note string, measure func(b *bed, r *run.Report, on store) error) (*run.Report, error) {
	r := &run.Report{}
	for _, on := range run.Pick(env, []store{onPostgres, inMemory}, []store{inMemory}) {
		err := onStore(ctx, env, on, func(b *bed) error { return measure(b, r, on) })
		if errors.Is(err, postgres.ErrNotInstalled) {
			r.Notes = append(r.Notes, on.name+" was not measured: it is not installed here.")
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", on.name, err)
		}
	}
	r.Notes = append(r.Notes, note)
	return r, nil
}

func onStore(ctx context.Context, env *run.Env, on store, measure func(b *bed) error) error {
	b, err := newBed(ctx, env, on.o)
	if err != nil {
		return err
	}
	defer b.Close()
	return measure(b)
}

func millis(s float64) string    { return fmt.Sprintf("%.1f ms", 1000*s) }
func micros(s float64) string    { return fmt.Sprintf("%.1f µs", 1e6*s) }
func perSecond(x float64) string { return fmt.Sprintf("%.0f/s", x) }
func megabytes(b float64) string { return fmt.Sprintf("%.1f MB", b/1e6) }
func kilobytes(b float64) string { return fmt.Sprintf("%.1f KB", b/1e3) }
