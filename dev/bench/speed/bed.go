package speed

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/procfs"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/procs"
)

// program is one of ours or of a peer's.
type program = *procs.Program

// bed is a server with our build, the peers', and the older build if there is one, each in a namespace of its own.
type bed struct {
	env    *run.Env
	server *testbed.Temporal
	ours   *system
	old    *system       // nil: none
	plain  client.Client // the peers': Temporal's SDK as it comes, in our namespace
	peer   *procs.Program
}

// system is a build of ours: a worker, the webhook and the API.
//
// The benchmarks know a build by what it promises to keep: the HTTP API, the webhook, the variables of the environment, the
// ids of workflows, and `starter setup`. So there is nothing to translate for an older one.
type system struct {
	*testbed.Tenant
	name string
}

func newBed(ctx context.Context, env *run.Env, o testbed.TemporalOptions) (*bed, error) {
	server, err := testbed.NewTemporal(ctx, env, o)
	if err != nil {
		return nil, err
	}
	b := &bed{env: env, server: server}
	if err := b.start(ctx); err != nil {
		server.Close()
		return nil, err
	}
	return b, nil
}

func (b *bed) start(ctx context.Context) (err error) {
	if b.ours, err = b.system(ctx, "ours", client.DefaultNamespace, b.env.Programs); err != nil {
		return err
	}
	if b.env.Old != "" {
		if b.old, err = b.system(ctx, "build "+b.env.Against, "older", b.env.Old); err != nil {
			return err
		}
	}
	b.peer = b.server.Supervise(b.env.Programs, "peer", b.ours.Namespace(), nil)
	if err := testbed.Working(ctx, b.peer); err != nil {
		return err
	}
	b.plain, err = client.DialContext(ctx, client.Options{
		HostPort: b.server.Address, Namespace: b.ours.Namespace(), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	return err
}

func (b *bed) system(ctx context.Context, name, namespace, programs string) (*system, error) {
	t, err := b.server.Tenant(ctx, testbed.Options{
		Namespace: namespace, Programs: programs, Pace: testbed.Lifted, Workers: 1, Webhook: true, Fast: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &system{Tenant: t, name: name}, nil
}

// Close stops all.
func (b *bed) Close() {
	b.plain.Close()
	b.server.Close()
}

// systems are ours, and the older one if there is one.
func (b *bed) systems() []*system {
	return slices.DeleteFunc([]*system{b.ours, b.old}, func(s *system) bool { return s == nil })
}

// sides are ours, the peers, and the older build, all with what they cost each of n.
func (b *bed) sides(n int, measure func(s *system) measurement, peers ...side) []side {
	sides := []side{{name: b.ours.name, system: b.ours, measure: b.costing(n, b.ours.programs(), measure(b.ours))}}
	for _, p := range peers {
		p.measure = b.costing(n, nil, p.measure)
		sides = append(sides, p)
	}
	if b.old != nil {
		sides = append(sides, side{name: b.old.name, system: b.old, measure: b.costing(n, b.old.programs(), measure(b.old))})
	}
	return sides
}

// turns measures in turns, reports the rows in the table of the title, and then profiles once if that is asked for.
func (b *bed) turns(ctx context.Context, name, title string, sides []side, r *run.Report, rows ...row) error {
	n := run.Pick(b.env, b.env.Pairs, 1)
	pairs, err := turns(ctx, b.env, name, n, sides...)
	if err != nil {
		return err
	}
	compare(r, title, pairs, sides, rows...)
	return b.profile(ctx, name, n+1, sides)
}

// costing waits until all is idle, measures, and adds what each of n has cost: the processor time of Temporal's server
// ("server"), of all given programs ("programs"), and of the webhook alone ("webhook").
func (b *bed) costing(n int, programs map[string]program, measure measurement) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		if err := b.waitIdle(ctx); err != nil {
			return nil, err
		}
		before, err := b.used(ctx, programs)
		if err != nil {
			return nil, err
		}
		f, err := measure(ctx, i)
		if err == nil {
			err = b.waitIdle(ctx) // what has been begun is paid for too
		}
		if err != nil {
			return nil, err
		}
		after, err := b.used(ctx, programs)
		for what := range after {
			if _, own := f[what]; !own {
				f[what] = (after[what] - before[what]) / float64(n)
			}
		}
		return f, err
	}
}

func (s *system) programs() map[string]program {
	return map[string]program{"worker": s.Workers[0], "webhook": s.Hook, "starter": s.Starter}
}

// used is processor time in seconds.
func (b *bed) used(ctx context.Context, programs map[string]program) (figures, error) {
	server, err := usageOf(b.server.PID())
	if err != nil {
		return nil, err
	}
	f := figures{"server": server.cpu}
	for name, p := range programs {
		u, err := programUsage(ctx, p)
		if err != nil {
			return nil, err
		}
		f["programs"] += u.cpu
		if name == "webhook" {
			f[name] = u.cpu
		}
	}
	return f, nil
}

// usage is what a process has used.
type usage struct {
	cpu float64 // seconds
	rss float64 // bytes
}

// usageOf reads it from /proc; elsewhere than on Linux nothing is known.
func usageOf(pid int) (usage, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return usage{}, err
	}
	stat, err := p.Stat()
	return usage{cpu: stat.CPUTime(), rss: float64(stat.ResidentMemory())}, err
}

func programUsage(ctx context.Context, p *procs.Program) (usage, error) {
	r, err := p.Working(ctx)
	if err != nil {
		return usage{}, err
	}
	return usageOf(r.PID())
}

// waitIdle waits until Temporal and the workers do next to nothing, or for ten seconds.
func (b *bed) waitIdle(ctx context.Context) error {
	const interval = 250 * time.Millisecond
	all := map[string]program{"peer": b.peer}
	for _, s := range b.systems() {
		for name, p := range s.programs() {
			all[s.name+name] = p
		}
	}
	var last float64
	for range 40 {
		u, err := b.used(ctx, all)
		if err != nil {
			return err
		}
		now := u["server"] + u["programs"]
		if last > 0 && now-last <= interval.Seconds()/5 {
			return nil
		}
		last = now
		if err := testbed.Sleep(ctx, interval); err != nil {
			return err
		}
	}
	return nil
}

// ourselves adds what each of n has cost this process, as the "webhook" of a peer that calls Temporal from here.
func ourselves(n int, measure measurement) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		before, err := usageOf(os.Getpid())
		if err != nil {
			return nil, err
		}
		f, err := measure(ctx, i)
		if err != nil {
			return nil, err
		}
		after, err := usageOf(os.Getpid())
		f["webhook"] = (after.cpu - before.cpu) / float64(n)
		return f, err
	}
}
