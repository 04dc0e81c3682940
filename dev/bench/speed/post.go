package speed

import (
	"context"
	"fmt"
	"net/http"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

const bareUWS = "bare Update-With-Start"

// queued is how many times its median at idle a request takes on a machine that does not carry the rate.
const queued = 4

// post is how long a signup service waits for the URL.
func post(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "The peer: Update-With-Start by Temporal's SDK in one process, on a workflow whose update is answered after one " +
		"activity that does nothing, on a second task queue. Ours has in addition the HTTP API, the call to Didit (simulated, which answers at once) and " +
		"what makes a start safe to repeat; and it leaves more: a timer for the next poll of Didit, and a line in the operators' list. " +
		"The p99 of one measurement of 60 to 150 requests is its slowest or slowest but one."
	return onStores(env, note, func(r *run.Report, on store) error { return postOn(ctx, env, r, on) })
}

func postOn(ctx context.Context, env *run.Env, r *run.Report, on store) error {
	s, err := newSystem(ctx, env, on.o, testbed.Fast{API: true, Peer: true}, false)
	if err != nil {
		return err
	}
	defer s.Close()
	table := comparison("from the request until the URL is there, Temporal on " + on.name)
	atRest := 0.0
	for _, c := range []postCase{
		{"idle", 0, run.Pick(env, 60, 10)},
		{fmt.Sprintf("%d a second", on.rate), float64(on.rate), run.Pick(env, 3*on.rate, 25)},
	} {
		pairs, err := s.alternate(ctx, env, on.of("post, "+c.name), pairsOf(env), s.timed(c, s.postOne), s.timed(c, s.bareOne))
		if err != nil {
			return err
		}
		compare(r, &table, on.of("POST, "+c.name+", p50"), bareUWS, pairs["p50"], millis, run.AtMost(1.25))
		compare(r, &table, on.of("POST, "+c.name+", p99"), bareUWS, pairs["p99"], millis, run.AtMost(1.5))
		theirs := pairs["p50"].Theirs()
		if c.rate == 0 {
			atRest = theirs
		} else if theirs > queued*atRest {
			r.Notes = append(r.Notes, fmt.Sprintf("With %s on %s this machine was at its end: the bare one's median was %s, and %s at idle. "+
				"Those rows compare two queues; a machine that carries the rate compares two answers.", c.name, on.name, millis(theirs), millis(atRest)))
		}
	}
	r.Tables = append(r.Tables, table)
	return nil
}

// postCase is n requests, each for another user.
type postCase struct {
	name string
	rate float64 // a second; 0: one after the other
	n    int
}

// timed measures a case.
func (s *system) timed(c postCase, one func(ctx context.Context, user string) error) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		do := func(ctx context.Context, j int) error { return one(ctx, fmt.Sprintf("post-%.0f-%d-%d", c.rate, i, j)) }
		measure := func() (load, error) { return closed(ctx, 1, c.n, do) }
		if c.rate > 0 {
			measure = func() (load, error) { return open(ctx, c.rate, c.n, do) }
		}
		got, err := measure()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		return got.figures(), nil
	}
}

func (s *system) postOne(ctx context.Context, user string) error {
	_, err := s.flood.send(ctx, request{
		url: s.APIURL, body: fmt.Appendf(nil, `{"user_id": %q}`, user), want: http.StatusCreated,
		header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + testbed.Token}},
	})
	return err
}

func (s *system) bareOne(ctx context.Context, user string) error {
	_, err := s.bareStart(ctx, "bare-"+user, bare.Input{})
	return err
}
