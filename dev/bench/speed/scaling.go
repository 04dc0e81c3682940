package speed

import (
	"context"
	"fmt"
	"os"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/procs"
)

// scaling is what a second and a fourth process bring on this machine, and what stands in the way of more.
func scaling(ctx context.Context, env *run.Env) (*run.Report, error) {
	s, err := newSystem(ctx, env, testbed.TemporalOptions{}, testbed.Fast{}, true)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, table := &run.Report{}, comparison("several processes against one")
	shares := run.Table{Title: "processor time while it ran, in cores", Columns: []string{"", "Temporal", "workers", "webhooks", "callers and Didit"}}
	for _, workers := range run.Pick(env, []int{2, 4}, []int{2}) {
		users, name := run.Pick(env, 100, 32), fmt.Sprintf("%d workers", workers)
		one, many := map[string]float64{}, map[string]float64{}
		pairs, err := s.alternate(ctx, env, "scaling, "+name, fewPairs(env), s.withWorkers(name, workers, users, many), s.withWorkers(name, 1, users, one))
		if err != nil {
			return nil, err
		}
		compare(r, &table, "starts with "+name, "with one", pairs["rate"], perSecond, run.Target{})
		share(&shares, "starts, 1 worker (in turns with "+name+")", one)
		share(&shares, "starts, "+name, many)
	}
	about, _, err := s.begin(ctx, "scaling", run.Pick(env, 500, 64))
	if err != nil {
		return nil, err
	}
	second, p, stop, err := s.server.AddWebhook(ctx, s.Tenant)
	if err != nil {
		return nil, err
	}
	defer stop()
	n, one, two := run.Pick(env, 600, 200), map[string]float64{}, map[string]float64{}
	pairs, err := s.alternate(ctx, env, "scaling, 2 webhooks", fewPairs(env), s.withWebhooks(about, n, two, p, s.WebhookURL, second),
		s.withWebhooks(about, n, one, p, s.WebhookURL))
	if err != nil {
		return nil, err
	}
	compare(r, &table, "events with 2 webhook processes", "with one", pairs["rate"], perSecond, run.Target{})
	share(&shares, "events, 1 webhook", one)
	share(&shares, "events, 2 webhooks", two)
	r.Tables = append(r.Tables, table, shares)
	r.Notes = append(r.Notes, "All processes share one machine with one Temporal server on one shard and SQLite, which has one writer: "+
		"what has the most of the processor is what more of our processes cannot help.")
	return r, nil
}

func share(t *run.Table, name string, cores map[string]float64) {
	t.Row(name, cores["Temporal"], cores["workers"], cores["webhooks"], cores["rest"])
}

// withWorkers measures starts with so many workers.
func (s *system) withWorkers(name string, workers, users int, cores map[string]float64) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		for range workers - 1 {
			stop, err := s.server.AddWorker(ctx, s.Tenant)
			if err != nil {
				return nil, err
			}
			defer func() {
				stop()
				s.Workers = s.Workers[:len(s.Workers)-1]
			}()
		}
		// A worker that has just begun has no connections, and no polls yet.
		if _, _, err := s.begin(ctx, fmt.Sprintf("warm-%c-%d-%d", name[0], workers, i), connections); err != nil {
			return nil, err
		}
		var l load
		err := s.watched(ctx, nil, cores, func() (took float64, err error) {
			_, l, err = s.begin(ctx, fmt.Sprintf("scale-%c-%d-%d", name[0], workers, i), users)
			return l.took.Seconds(), err
		})
		return figures{"rate": l.figures()["rate"]}, err
	}
}

// withWebhooks measures events to one or two processes. The second one runs in either case.
func (s *system) withWebhooks(about []verification, n int, cores map[string]float64, second *procs.Program, urls ...string) measurement {
	return func(ctx context.Context, _ int) (figures, error) {
		other, err := testbed.PID(ctx, second)
		if err != nil {
			return nil, err
		}
		all, err := hooks(s.WebhookURL, about, waits, n)
		if err != nil {
			return nil, err
		}
		var l load
		err = s.watched(ctx, []int{other}, cores, func() (float64, error) {
			l, err = closed(ctx, connections, n, func(ctx context.Context, i int) error {
				r := all[i]
				r.url = urls[i%len(urls)]
				_, err := s.flood.send(ctx, r)
				return err
			})
			return l.took.Seconds(), err
		})
		return figures{"rate": l.figures()["rate"]}, err
	}
}

// watched notes how many cores each kind of process used in the run of f: of several runs a mean that weighs the later ones more.
func (s *system) watched(ctx context.Context, webhooks []int, cores map[string]float64, f func() (float64, error)) error {
	pids := map[string][]int{"Temporal": {s.server.PID()}, "rest": {os.Getpid()}, "webhooks": webhooks}
	for _, p := range s.Workers {
		pid, err := testbed.PID(ctx, p)
		if err != nil {
			return err
		}
		pids["workers"] = append(pids["workers"], pid)
	}
	pid, err := testbed.PID(ctx, s.Hook)
	if err != nil {
		return err
	}
	pids["webhooks"] = append(pids["webhooks"], pid)
	before, err := cpuOf(pids)
	if err != nil {
		return err
	}
	took, err := f()
	if err != nil {
		return err
	}
	after, err := cpuOf(pids)
	if err != nil {
		return err
	}
	for kind := range pids {
		now := (after[kind] - before[kind]) / took
		if seen, ok := cores[kind]; ok {
			now = (3*seen + now) / 4
		}
		cores[kind] = now
	}
	return nil
}

func cpuOf(pids map[string][]int) (map[string]float64, error) {
	sums := map[string]float64{}
	for kind, all := range pids {
		for _, pid := range all {
			u, err := usageOf(pid)
			if err != nil {
				return nil, err
			}
			sums[kind] += u.cpu.Seconds()
		}
	}
	return sums, nil
}
