package speed

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/run"
	"didit-temporal/didit/diditsim"
)

// growth is what it costs that many wait, when each minute brings an event about two in a hundred of them. SQLite in memory takes
// half of the time to fill, and its processor time is in that of Temporal's process.
func growth(ctx context.Context, env *run.Env) (*run.Report, error) {
	const rounds, each, perMinute = 3, time.Minute, 0.02
	sizes, err := parseSizes(run.Pick(env, env.Waiting, "20"))
	if err != nil {
		return nil, err
	}
	r := &run.Report{}
	table := run.Table{
		Title:   "while many wait and 2 % of them have an event in each minute, Temporal on SQLite in memory",
		Columns: []string{"build", "waiting", "events a second", "Temporal, cores", "ours, cores", "worker", "webhook", "Temporal", "webhook p50", "webhook p99"},
	}
	err = onStore(ctx, env, inMemory, func(b *bed) error {
		about := map[*system][]diditsim.Session{}
		for _, size := range sizes {
			d := run.Pick(env, each, 2*time.Second)
			n := max(10, int(perMinute*float64(size)*d.Minutes()))
			var sides []side
			var found = map[*system]map[string][]float64{}
			for _, s := range b.systems() {
				more, err := b.fill(ctx, s, fmt.Sprintf("growth-%d", size), size-len(about[s]))
				if err != nil {
					return err
				}
				about[s], found[s] = append(about[s], more...), map[string][]float64{}
				sides = append(sides, side{name: s.name, system: s, measure: b.steady(s, about[s], n, d, found[s])})
			}
			name := fmt.Sprintf("growth, %d wait", size)
			pairs, err := turns(ctx, env, name, run.Pick(env, rounds, 1), sides...)
			if err != nil {
				return err
			}
			for _, s := range b.systems() {
				of := func(what string) float64 { return ratio.Median(found[s][what]) }
				table.Row(s.name, size, float64(n)/d.Seconds(), fmt.Sprintf("%.3f", of("server cpu")), fmt.Sprintf("%.3f", of("programs cpu")),
					megabytes(of("worker")), megabytes(of("webhook")), megabytes(of("server")), millis(of("p50")), millis(of("p99")))
			}
			if b.old != nil {
				compare(r, name, pairs, sides, row{"server cpu", name + ", Temporal's processor time", millis, run.Target{}},
					row{"programs cpu", name + ", ours", millis, run.Target{}}, row{"p99", name + ", webhook p99", millis, run.Target{}},
					row{"worker", name + ", worker's memory", megabytes, run.Target{}})
			}
		}
		return nil
	})
	r.Tables = append([]run.Table{table}, r.Tables...)
	r.Notes = []string{"Medians of the rounds. With an older build in turns its verifications wait on the same server, so Temporal's memory is for both."}
	return r, err
}

// steady sends n webhooks at a steady rate for a time, about verifications that have rested longest.
func (b *bed) steady(s *system, about []diditsim.Session, n int, d time.Duration, found map[string][]float64) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		if err := b.waitIdle(ctx); err != nil {
			return nil, err
		}
		all, err := hooks(s.WebhookURL, part(about, i, n), waits, n, bodySize)
		if err != nil {
			return nil, err
		}
		before, err := b.used(ctx, s.programs())
		if err != nil {
			return nil, err
		}
		sent, err := open(ctx, float64(n)/d.Seconds(), n, func(ctx context.Context, i int) error { return all[i].send(ctx) })
		if err != nil {
			return nil, err
		}
		after, err := b.used(ctx, s.programs())
		if err != nil {
			return nil, err
		}
		f, err := b.memory(ctx, s)
		maps.Copy(f, sent)
		for _, what := range []string{"server", "programs"} {
			f[what+" cpu"] = (after[what] - before[what]) / sent["took"]
		}
		for what, x := range f {
			found[what] = append(found[what], x)
		}
		return f, err
	}
}

func parseSizes(text string) (sizes []int, err error) {
	for one := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(one))
		if err != nil || n < 1 || len(sizes) > 0 && n <= sizes[len(sizes)-1] {
			return nil, fmt.Errorf("-waiting %q: want ascending numbers such as 1000,10000", text)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}
