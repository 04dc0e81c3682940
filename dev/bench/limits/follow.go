package limits

import (
	"context"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/world"
)

// follow says now and then how far a crowd is, until the returned function is called.
func follow(ctx context.Context, env *run.Env, name string, people *world.Crowd, n int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for world.Sleep(ctx, 20*time.Second) == nil {
			env.Say("%s: %d of %d have a URL", name, people.Served(), n)
		}
	}()
	return cancel
}

// curve is the number of writes in the last minute, second by second, until it has fallen to nothing.
func curve(name string, calls world.Calls, began time.Time) run.Series {
	writes := calls.Writes()
	s := run.Series{Picture: picture, Name: name, Step: 1}
	if len(writes) > 0 {
		end := writes[len(writes)-1].At.Add(world.Didit.Window + time.Second)
		s.Y = writes.Sliding(began, end, world.Didit.Window, time.Second)
	}
	return s
}

func limitLine(p world.Pace, d time.Duration) run.Series {
	s := run.Series{Picture: picture, Name: "Didit's limit", Step: (d + p.Window).Seconds()}
	s.Y = []float64{float64(p.Writes), float64(p.Writes)}
	return s
}
