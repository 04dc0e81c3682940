package speed

import (
	"context"
	"fmt"
	"os"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/world"
	"didit-temporal/dev/procs"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const bareSignal = "bare SignalWorkflow"

// webhooks is how many of them are stored per second, and what that costs beside the storing.
func webhooks(ctx context.Context, env *run.Env) (*run.Report, error) {
	r, table := &run.Report{}, comparison(fmt.Sprintf("webhooks over %d connections", connections))
	many := run.Pick(env, env.Times(10_000, 1000), 64)
	for _, c := range []struct {
		name     string
		waiting  int
		observed bool
		target   float64
	}{
		{"500 users", run.Pick(env, 500, 32), false, 0.95},
		{fmt.Sprintf("%d users, observed", many), many, true, 0.9},
	} {
		if !env.Wants(c.name) {
			continue
		}
		if err := hookCase(ctx, env, r, &table, c.name, c.waiting, c.observed, c.target); err != nil {
			return nil, err
		}
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "The peer: SignalWorkflow in a loop by as many callers in one process, with the same payload to the same verifications: "+
		"no HTTP, no signature, and no repeat is noticed; with the SDK's defaults, which compress every request, where ours does not. "+
		"Processor time is that of our process webhook, or of the loop's, for each event. "+
		"Observed: payloads encrypted, metrics and traces of all our processes on; the peer's payloads are plain.")
	return r, nil
}

// hookCase measures over so many verifications that wait, on a server of its own.
func hookCase(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, name string, waiting int, observed bool, target float64) error {
	s, err := newSystem(ctx, env, world.TemporalOptions{}, world.Fast{Observed: observed}, true)
	if err != nil {
		return err
	}
	defer s.Close()
	env.Say("webhook: %d verifications begin", waiting)
	about, _, err := s.begin(ctx, fmt.Sprintf("hook-%d", waiting), waiting)
	if err != nil {
		return err
	}
	n := run.Pick(env, 600, 128)
	pairs, err := turns(ctx, env, "webhook, "+name, pairsOf(env), s.serverTime(n, s.hooked(about, n)), s.serverTime(n, s.signalled(about, n)))
	if err != nil {
		return err
	}
	compare(r, table, "webhooks, "+name+", rate", bareSignal, pairs["rate"], perSecond, run.AtLeast(target))
	compare(r, table, "webhooks, "+name+", p50", bareSignal, pairs["p50"], millis, run.Target{})
	compare(r, table, "webhooks, "+name+", p99", bareSignal, pairs["p99"], millis, run.Target{})
	compare(r, table, "webhooks, "+name+", processor time", bareSignal, pairs["cpu"], micros, run.Target{})
	compare(r, table, "webhooks, "+name+", Temporal's processor time", bareSignal, pairs["server"], millis, run.Target{})
	if observed {
		return s.againstUnobserved(ctx, env, r, table, name, about, n)
	}
	return s.againstBlog(ctx, env, r, table, name, about, n)
}

// againstUnobserved is what metrics and traces of the process webhook cost.
func (s *system) againstUnobserved(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, name string, about []verification, n int) error {
	url, p, stop, err := s.server.AddWebhook(ctx, s.Tenant, s.Unobserved()...)
	if err != nil {
		return err
	}
	defer stop()
	pairs, err := turns(ctx, env, "webhook, "+name+", against one that is not", pairsOf(env), s.hooked(about, n), s.hookedAt(url, p, about, n))
	if err != nil {
		return err
	}
	const peer = "the same without metrics and traces"
	compare(r, table, "webhooks, "+name+", rate", peer, pairs["rate"], perSecond, run.AtLeast(0.95))
	compare(r, table, "webhooks, "+name+", processor time", peer, pairs["cpu"], micros, run.Target{})
	r.Promise(s.Spans() > 0, "no traces were sent: what was measured was not observed")
	return nil
}

// hooked is a turn of n webhooks about verifications.
func (s *system) hooked(about []verification, n int) turn {
	return s.hookedAt(s.WebhookURL, s.Hook, about, n)
}

func (s *system) hookedAt(url string, p *procs.Program, about []verification, n int) turn {
	return func(ctx context.Context, _ int) (figures, error) {
		all, err := hooks(url, about, didit.StatusInProgress, n)
		if err != nil {
			return nil, err
		}
		f, err := s.sent(ctx, p, connections, n, func(i int) request { return all[i] })
		if err != nil {
			return nil, err
		}
		return f, s.settle(ctx)
	}
}

// signalled is the same by bare signals.
func (s *system) signalled(about []verification, n int) turn {
	return func(ctx context.Context, _ int) (figures, error) {
		events := make([]kyc.DiditEvent, n)
		for i := range events {
			v := about[i%len(about)]
			events[i] = kyc.DiditEvent{
				EventID: fmt.Sprintf("00000000-0000-4000-8000-%012x", i), Type: didit.EventStatusUpdated, SessionID: v.session.SessionID,
				Status: didit.StatusInProgress, CreatedAt: time.Now().Unix(),
			}
		}
		before, err := usageOf(os.Getpid())
		if err != nil {
			return nil, err
		}
		l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
			v := about[i%len(about)]
			return s.plain.SignalWorkflow(ctx, kyc.WorkflowID(v.user), v.run, kyc.SignalDiditEvent, events[i])
		})
		if err != nil {
			return nil, err
		}
		after, err := usageOf(os.Getpid())
		if err != nil {
			return nil, err
		}
		f := l.figures()
		f["cpu"] = (after.cpu - before.cpu).Seconds() / float64(n)
		return f, s.settle(ctx)
	}
}

// settle waits until the workers have caught up, or for ten seconds: what is left to do must not disturb the other turn.
func (s *system) settle(ctx context.Context) error {
	const look = 250 * time.Millisecond
	for range 40 {
		var busy time.Duration
		for _, p := range s.Workers {
			cpu, err := costing(ctx, p, func() error { return world.Sleep(ctx, look) })
			if err != nil {
				return err
			}
			busy = max(busy, cpu)
		}
		if busy <= look/10 {
			return nil
		}
	}
	return nil
}
