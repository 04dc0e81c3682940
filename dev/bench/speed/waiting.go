package speed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/postgres"
	"didit-temporal/didit/diditsim"
)

// steps is how often memory and bytes are measured on the way.
const steps = 10

// Memory that the processes may take, however many verifications wait.
const (
	workerBytes  = 250e6
	webhookBytes = 80e6
)

// waiting is what many people who take their time cost, each after one webhook, as most that wait have had one.
func waiting(ctx context.Context, env *run.Env) (*run.Report, error) {
	on := run.Pick(env, onPostgres, inMemory)
	r, each := &run.Report{}, run.Pick(env, env.Times(20_000/steps, 50), 20)
	err := onStore(ctx, env, on, func(b *bed) error {
		table := run.Table{
			Title:   "memory, and bytes of Temporal's database, Temporal on " + on.name,
			Columns: []string{"build", "waiting", "worker", "webhook", "Temporal", "bytes each"},
		}
		sides := []side{}
		for _, s := range b.systems() {
			sides = append(sides, side{name: s.name, system: s, measure: b.filled(r, &table, s, each)})
		}
		sides = append(sides, side{name: "bare workflow" + inList, measure: b.bareFilled(max(each/4, 1))})
		pairs, err := turns(ctx, env, "waiting", run.Pick(env, steps-1, 1), sides...)
		if err != nil {
			return err
		}
		r.Tables = append(r.Tables, table)
		compare(r, "the same in turns", pairs, sides, row{"worker", "waiting, worker's memory", megabytes, run.Target{}},
			row{"webhook", "waiting, webhook's memory", megabytes, run.Target{}}, row{"bytes", "waiting, database bytes of one", kilobytes, run.Target{}})
		return nil
	})
	r.Notes = append(r.Notes, "A worker keeps the state of up to 1,500 workflows at hand and reads others' histories again when they get an event: "+
		"so its memory stops growing there. The bare workflow has had no webhook. Bytes are what tables and indexes grow by, rewritten without the space of dead rows before and after.")
	if errors.Is(err, postgres.ErrNotInstalled) {
		r.Notes, err = []string{"Not measured: PostgreSQL is not installed here."}, nil
	}
	return r, err
}

// filled lets more verifications wait and measures the memory then, and the growth of the database.
func (b *bed) filled(r *run.Report, table *run.Table, s *system, each int) measurement {
	waits := 0
	return func(ctx context.Context, i int) (figures, error) {
		grew, err := b.databaseGrowth(ctx, each, func() error {
			_, err := b.fill(ctx, s, fmt.Sprintf("waiting-%d", i), each)
			return err
		})
		if err != nil {
			return nil, err
		}
		f, err := b.memory(ctx, s)
		if err != nil {
			return nil, err
		}
		waits += each
		maps.Copy(f, grew)
		if s == b.ours && !b.env.Short {
			r.Target(f["worker"] <= workerBytes && f["webhook"] <= webhookBytes, "%d wait: worker %s, webhook %s; %s and %s are allowed",
				waits, megabytes(f["worker"]), megabytes(f["webhook"]), megabytes(workerBytes), megabytes(webhookBytes))
		}
		table.Row(s.name, waits, megabytes(f["worker"]), megabytes(f["webhook"]), megabytes(f["server"]), kilobytes(f["bytes"]))
		return f, nil
	}
}

// bareFilled is the floor of the bytes: a workflow that waits and that operators can list, before any webhook.
func (b *bed) bareFilled(n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		return b.databaseGrowth(ctx, n, func() error {
			_, _, err := b.bareBegin(ctx, fmt.Sprintf("waiting-%d", i), n, bare.Input{Timer: true, Upsert: true})
			return err
		})
	}
}

// databaseGrowth is what the databases grow by for each of n that fill makes; nothing on SQLite.
func (b *bed) databaseGrowth(ctx context.Context, n int, fill func() error) (figures, error) {
	before, err := b.databaseBytes(ctx)
	if err == nil {
		err = fill()
	}
	if err != nil {
		return nil, err
	}
	after, err := b.databaseBytes(ctx)
	if err != nil || b.server.Database == nil {
		return figures{}, err
	}
	return figures{"bytes": float64(after-before) / float64(n)}, nil
}

// fill lets n more verifications wait, each after one webhook.
func (b *bed) fill(ctx context.Context, s *system, prefix string, n int) (about []diditsim.Session, err error) {
	for done := 0; done < n; {
		some, _, err := s.begin(ctx, fmt.Sprintf("%s-%d", prefix, done), min(1000, n-done))
		if err == nil {
			err = s.tell(ctx, some, waits)
		}
		if err != nil {
			return nil, err
		}
		about, done = append(about, some...), done+len(some)
		b.env.Say("%s, %s: %d of %d wait", prefix, s.name, done, n)
	}
	return about, b.waitIdle(ctx)
}

// memory is what is resident, in bytes.
func (b *bed) memory(ctx context.Context, s *system) (figures, error) {
	if err := testbed.Sleep(ctx, time.Second); err != nil { // what is in flight settles
		return nil, err
	}
	server, err := usageOf(b.server.PID())
	f := figures{"server": server.rss}
	for name, p := range s.programs() {
		u, err2 := programUsage(ctx, p)
		f[name], err = u.rss, errors.Join(err, err2)
	}
	return f, err
}

// databaseBytes is the size of both databases without dead rows; 0 on SQLite.
func (b *bed) databaseBytes(ctx context.Context) (sum int64, err error) {
	if b.server.Database == nil {
		return 0, nil
	}
	for _, name := range []string{"temporal", "temporal_visibility"} {
		size, err := b.server.Database.Query(ctx, name, "VACUUM FULL", "SELECT pg_database_size(current_database())")
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
