package speed

import (
	"context"
	"fmt"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// verdict is how fast verdicts come through: webhook, Didit's decision, the callback endpoint, end.
func verdict(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "Ours: the signed webhook over HTTP, the read of Didit's decision on its limited queue, the signed result to a callback endpoint that takes it at once. " +
		"The peer's two activities do nothing. " +
		"The second peer also lists what it waits for, as ours does: three search-attribute events."
	return onStores(env, note, func(r *run.Report, on store) error { return verdictOn(ctx, env, r, on) })
}

func verdictOn(ctx context.Context, env *run.Env, r *run.Report, on store) error {
	s, err := newSystem(ctx, env, on.o, testbed.Fast{Peer: true, Results: true}, true)
	if err != nil {
		return err
	}
	defer s.Close()
	n, after := run.Pick(env, 80, 16), []string{bare.First, bare.TaskQueue}
	measured, err := s.alternate(ctx, env, on.of("verdict"), pairsOf(env), s.serverTime(n, s.decided("bare", n)),
		s.serverTime(n, s.bareDecided("bare", n, bare.Input{Timer: true, After: after})))
	if err != nil {
		return err
	}
	listed, err := s.alternate(ctx, env, on.of("verdict, with attributes"), pairsOf(env), s.decided("listed", n),
		s.bareDecided("listed", n, bare.Input{Timer: true, After: after, Upsert: true}))
	if err != nil {
		return err
	}
	table := comparison(fmt.Sprintf("verdict's webhook until the workflow has ended, %d at a time, Temporal on %s", connections, on.name))
	const peer = "bare signal, then two activities on two queues"
	compare(r, &table, on.of("verdicts, rate"), peer, measured["rate"], perSecond, run.AtLeast(0.9))
	compare(r, &table, on.of("verdicts, rate, against listed ones"), peer+", in the operators' list", listed["rate"], perSecond, run.AtLeast(0.9))
	compare(r, &table, on.of("verdicts, p50"), peer, measured["p50"], millis, run.Target{})
	compare(r, &table, on.of("verdicts, p99"), peer, measured["p99"], millis, run.Target{})
	compare(r, &table, on.of("Temporal's processor time, start and verdict"), peer, measured["server"], millis, run.Target{})
	r.Tables = append(r.Tables, table)
	return nil
}

// decided measures n users whose verdict's webhook comes in; that they came so far is not timed.
func (s *system) decided(name string, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		about, _, err := s.begin(ctx, fmt.Sprintf("verdict-%s-%d", name, i), n)
		if err != nil {
			return nil, err
		}
		urls := make([]string, n)
		for i, v := range about {
			urls[i] = v.session.URL
		}
		if err := testbed.Approve(ctx, urls); err != nil {
			return nil, err
		}
		all, err := hooks(s.WebhookURL, about, didit.StatusApproved, n)
		if err == nil {
			err = s.waitIdle(ctx)
		}
		if err != nil {
			return nil, err
		}
		l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
			if _, err := s.flood.send(ctx, all[i]); err != nil {
				return err
			}
			var state kyc.State
			err := s.Temporal().GetWorkflow(ctx, kyc.WorkflowID(about[i].user), about[i].run).Get(ctx, &state)
			if err == nil && state.Outcome != kyc.OutcomeApproved {
				err = fmt.Errorf("outcome %q", state.Outcome)
			}
			return err
		})
		return l.figures(), err
	}
}

func (s *system) bareDecided(name string, n int, in bare.Input) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		prefix := fmt.Sprintf("peer-%s-%d", name, i)
		runs, _, err := s.bareBegin(ctx, prefix, n, in)
		if err == nil {
			err = s.waitIdle(ctx)
		}
		if err != nil {
			return nil, err
		}
		l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
			id := fmt.Sprintf("%s-%d", prefix, i)
			if err := s.plain.SignalWorkflow(ctx, id, runs[i], bare.Signal, nil); err != nil {
				return err
			}
			return s.plain.GetWorkflow(ctx, id, runs[i]).Get(ctx, nil)
		})
		return l.figures(), err
	}
}
