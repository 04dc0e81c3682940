package speed

import (
	"context"
	"fmt"
	"net/http"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/world"
)

const bareUWS = "bare Update-With-Start"

// post is how long a signup service waits for the URL.
func post(ctx context.Context, env *run.Env) (*run.Report, error) {
	s, err := newSystem(ctx, env, world.TemporalOptions{}, world.Fast{API: true, Peer: true}, false)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, table := &run.Report{}, comparison("from the request until the URL is there")
	for _, c := range []struct {
		name string
		rate float64 // 0: one after the other
		n    int
	}{{"idle", 0, run.Pick(env, 50, 10)}, {"50 a second", 50, run.Pick(env, 200, 25)}} {
		if !env.Wants(c.name) {
			continue
		}
		pairs, err := turns(ctx, env, "post, "+c.name, pairsOf(env), s.timed(c.name, c.rate, c.n, s.postOne), s.timed(c.name, c.rate, c.n, s.bareOne))
		if err != nil {
			return nil, err
		}
		compare(r, &table, "POST, "+c.name+", p50", bareUWS, pairs["p50"], millis, run.AtMost(1.25))
		compare(r, &table, "POST, "+c.name+", p99", bareUWS, pairs["p99"], millis, run.AtMost(1.5))
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "The peer: Update-With-Start by Temporal's SDK in one process, on a workflow whose update is answered after one "+
		"activity that does nothing, on a second task queue. Ours has in addition the HTTP API, the call to Didit (simulated, which answers at once) and "+
		"what makes a start safe to repeat.")
	return r, nil
}

// timed is a turn of n requests, each for another user, one after the other or at a rate.
func (s *system) timed(name string, rate float64, n int, one func(ctx context.Context, user string) error) turn {
	return func(ctx context.Context, i int) (figures, error) {
		do := func(ctx context.Context, j int) error { return one(ctx, fmt.Sprintf("post-%.0f-%d-%d", rate, i, j)) }
		measure := func() (load, error) { return closed(ctx, 1, n, do) }
		if rate > 0 {
			measure = func() (load, error) { return open(ctx, rate, n, do) }
		}
		got, err := measure()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return got.figures(), nil
	}
}

func (s *system) postOne(ctx context.Context, user string) error {
	_, err := s.flood.send(ctx, request{
		url: s.APIURL, body: fmt.Appendf(nil, `{"user_id": %q}`, user), want: http.StatusCreated,
		header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + world.Token}},
	})
	return err
}

func (s *system) bareOne(ctx context.Context, user string) error {
	_, err := s.bareStart(ctx, "bare-"+user, bare.Input{})
	return err
}
