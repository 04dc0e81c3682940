package limits

import (
	"context"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

// follow prints now and then how many users have a URL, until the returned function is called.
func follow(ctx context.Context, env *run.Env, name string, people *testbed.Users, n int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for testbed.Sleep(ctx, 20*time.Second) == nil {
			env.Say("%s: %d of %d have a URL", name, people.Served(), n)
		}
	}()
	return cancel
}

// curve is the number of writes in the last minute, second by second, until it has fallen to nothing.
func curve(name string, calls testbed.Calls, began time.Time) run.Series {
	writes := calls.Writes()
	s := run.Series{Picture: picture, Name: name, Step: 1}
	if len(writes) > 0 {
		end := writes[len(writes)-1].At.Add(testbed.Didit.Window + time.Second)
		s.Y = writes.Sliding(began, end, testbed.Didit.Window, time.Second)
	}
	return s
}

func limitLine(p testbed.Pace, d time.Duration) run.Series {
	s := run.Series{Picture: picture, Name: "Didit's limit", Step: (d + p.Window).Seconds()}
	s.Y = []float64{float64(p.Writes), float64(p.Writes)}
	return s
}
