package speed

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/procs"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

const bareSignal = "bare SignalWorkflow"

// webhooks is how many of them are stored per second, and what that costs beside the storing.
func webhooks(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "The peer: SignalWorkflow in a loop by as many callers in one process, with the same payload to the same verifications: " +
		"no HTTP, no signature, and no repeat is noticed; with the SDK's defaults, which compress every request, where ours does not. " +
		"Processor time is that of our process webhook, or of the loop's, for each event. " +
		"Observed: payloads encrypted, metrics and traces of all our processes on; the peer's payloads are plain."
	return onStores(env, note, func(r *run.Report, on store) error { return webhooksOn(ctx, env, r, on) })
}

func webhooksOn(ctx context.Context, env *run.Env, r *run.Report, on store) error {
	table := comparison(fmt.Sprintf("webhooks over %d connections, Temporal on %s", connections, on.name))
	many := run.Pick(env, env.Times(on.waiting, 1000), 64)
	for _, c := range []hookCase{
		{"500 users", run.Pick(env, 500, 32), false, 0.95},
		{fmt.Sprintf("%d users, observed", many), many, true, 0.9},
	} {
		if err := c.measure(ctx, env, r, &table, on); err != nil {
			return err
		}
	}
	r.Tables = append(r.Tables, table)
	return nil
}

type hookCase struct {
	name     string
	waiting  int // verifications that the webhooks are about
	observed bool
	target   float64
}

// measure is on a server of its own.
func (c hookCase) measure(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, on store) error {
	s, err := newSystem(ctx, env, on.o, testbed.Fast{Observed: c.observed}, true)
	if err != nil {
		return err
	}
	defer s.Close()
	env.Say("webhook: %d verifications begin", c.waiting)
	about, _, err := s.begin(ctx, fmt.Sprintf("hook-%d", c.waiting), c.waiting)
	if err != nil {
		return err
	}
	n, of := run.Pick(env, 600, 128), func(figure string) string { return on.of("webhooks, " + c.name + ", " + figure) }
	pairs, err := s.alternate(ctx, env, on.of("webhook, "+c.name), on.pairs(env), s.serverTime(n, s.hooked(about, n)), s.serverTime(n, s.signalled(about, n)))
	if err != nil {
		return err
	}
	compare(r, table, of("rate"), bareSignal, pairs["rate"], perSecond, run.AtLeast(c.target))
	compare(r, table, of("p50"), bareSignal, pairs["p50"], millis, run.Target{})
	compare(r, table, of("p99"), bareSignal, pairs["p99"], millis, run.Target{})
	compare(r, table, of("processor time"), bareSignal, pairs["cpu"], micros, run.Target{})
	compare(r, table, of("Temporal's processor time"), bareSignal, pairs["server"], millis, run.Target{})
	switch {
	case !on.quick: // what follows is about our process, not about the store
		return nil
	case c.observed:
		return s.againstUnobserved(ctx, env, r, table, of, about, n)
	}
	return s.againstBlog(ctx, env, r, table, of, about, n)
}

// againstUnobserved is what metrics and traces of the process webhook cost.
func (s *system) againstUnobserved(ctx context.Context, env *run.Env, r *run.Report, table *run.Table, of func(string) string, about []verification, n int) error {
	url, p, stop, err := s.server.AddWebhook(ctx, s.Tenant, s.Unobserved()...)
	if err != nil {
		return err
	}
	defer stop()
	pairs, err := s.alternate(ctx, env, of("against one that is not observed"), pairsOf(env), s.hooked(about, n), s.hookedAt(url, p, 1, about, n))
	if err != nil {
		return err
	}
	const peer = "the same without metrics and traces"
	compare(r, table, of("rate, against one that is not"), peer, pairs["rate"], perSecond, run.AtLeast(0.95))
	compare(r, table, of("processor time, against one that is not"), peer, pairs["cpu"], micros, run.Target{})
	r.Promise(s.Spans() > 0, "no traces were sent: what was measured was not observed")
	return nil
}

// hooked measures n webhooks about verifications.
func (s *system) hooked(about []verification, n int) measurement {
	return s.hookedAt(s.WebhookURL, s.Hook, 0, about, n)
}

// hookedAt is hooked for a process; side is 0 for ours and 1 for the other.
func (s *system) hookedAt(url string, p *procs.Program, side int, about []verification, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		all, err := hooks(url, partOf(about, 2*i+side, n), waits, n)
		if err != nil {
			return nil, err
		}
		return s.sent(ctx, p, connections, n, func(i int) request { return all[i] })
	}
}

// partOf are those that a measurement is about: the measurements go through all, so that none finds what another one has left in a
// worker's memory. The number of parts is even, so that ours, which takes the even ones, and the other's each have parts
// of their own and come back to them equally late.
func partOf(about []verification, i, n int) []verification {
	if n >= len(about) {
		return about
	}
	parts := max(1, len(about)/n&^1)
	from := i % parts * n
	return about[from : from+n]
}

// signalled is the same by bare signals.
func (s *system) signalled(about []verification, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		about, events := partOf(about, 2*i+1, n), make([]kyc.DiditEvent, n)
		for i := range events {
			events[i] = kyc.DiditEvent{
				EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: about[i%len(about)].session.SessionID,
				Status: waits, CreatedAt: time.Now().Unix(),
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
		return f, nil
	}
}
