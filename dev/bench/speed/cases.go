package speed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"didit-temporal/dev/bench/bare"
	"didit-temporal/dev/bench/run"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// post is how long a signup service waits for the URL.
func post(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "The floor: Update-With-Start by Temporal's SDK in one process, on a workflow whose update is answered after one " +
		"activity that does nothing, on a second task queue. Ours has in addition the HTTP API, the call to Didit (simulated, which answers at once) and " +
		"what makes a start safe to repeat; and it leaves more: a timer for the next poll of Didit, and a line in the operators' list. " +
		"The p99 of one measurement of 60 to 150 requests is its slowest or slowest but one."
	return onStores(ctx, env, note, func(b *bed, r *run.Report, on store) error {
		for _, c := range []struct {
			name string
			rate int // a second; 0: one after the other
			n    int
		}{
			{"idle", 0, run.Pick(env, 60, 10)},
			{fmt.Sprintf("%d a second", on.rate), on.rate, run.Pick(env, 3*on.rate, 25)},
		} {
			timed := func(one func(ctx context.Context, user string) error) measurement {
				return func(ctx context.Context, i int) (figures, error) {
					do := func(ctx context.Context, j int) error { return one(ctx, fmt.Sprintf("post-%d-%d-%d", c.rate, i, j)) }
					if c.rate > 0 {
						return open(ctx, float64(c.rate), c.n, do)
					}
					return closed(ctx, 1, c.n, do)
				}
			}
			floor := timed(func(ctx context.Context, user string) error {
				_, err := b.bareStart(ctx, "bare-"+user, bare.Input{})
				return err
			})
			sides := b.sides(c.n, func(s *system) measurement { return timed(s.postOne) }, side{name: "bare Update-With-Start", measure: floor})
			err := b.turns(ctx, on.of("post, "+c.name), "from the request until the URL is there, Temporal on "+on.name, sides, r,
				row{"p50", on.of("POST, " + c.name + ", p50"), millis, run.AtMost(1.25)},
				row{"p99", on.of("POST, " + c.name + ", p99"), millis, run.AtMost(1.5)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const inList = ", in the operators' list"

// start is how fast verifications come to the point where they wait for their users.
func start(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "Ours is started over HTTP and calls Didit (simulated, which answers at once); the floor is started by Update-With-Start in one process. " +
		"The listed floor also lists what it waits for, as ours does: with the start, and by one search-attribute event, " +
		"which is one more write to Temporal's visibility store. The difference between the rows is its price."
	return onStores(ctx, env, note, func(b *bed, r *run.Report, on store) error {
		n := run.Pick(env, env.Times(on.burst, 20), 32)
		floor := func(name string, in bare.Input) measurement {
			return func(ctx context.Context, i int) (figures, error) {
				_, f, err := b.bareBegin(ctx, fmt.Sprintf("%s-%d", name, i), n, in)
				return f, err
			}
		}
		const peer = "bare workflow, one activity, one timer"
		sides := b.sides(n, func(s *system) measurement {
			return func(ctx context.Context, i int) (figures, error) {
				_, f, err := s.begin(ctx, fmt.Sprintf("start-%d", i), n)
				return f, err
			}
		}, side{name: peer, measure: floor("bare", bare.Input{Timer: true})},
			side{name: peer + inList, measure: floor("listed", bare.Input{Timer: true, Upsert: true})})
		title := fmt.Sprintf("start until it waits, bursts of %d, %d at a time, Didit's limit lifted, Temporal on %s", n, connections, on.name)
		return b.turns(ctx, on.of("start"), title, sides, r,
			row{"rate", on.of("starts, rate"), perSecond, run.AtLeast(0.9)},
			row{"p50", on.of("starts, p50"), millis, run.Target{}},
			row{"p99", on.of("starts, p99"), millis, run.Target{}},
			row{"server", on.of("starts, Temporal's processor time"), millis, run.Target{}})
	})
}

// verdict is how fast verdicts come through: webhook, Didit's decision, the callback endpoint, end.
func verdict(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "Ours: the signed webhook over HTTP, the read of Didit's decision on its limited queue, the signed result to a callback endpoint that takes it at once. " +
		"The floor's two activities do nothing, and no list shows it. The listed floor also lists what it waits for: three search-attribute events."
	return onStores(ctx, env, note, func(b *bed, r *run.Report, on store) error {
		n, after := run.Pick(env, 80, 16), []string{bare.First, bare.TaskQueue}
		const peer = "bare signal, then two activities on two queues"
		sides := b.sides(n, func(s *system) measurement { return b.decided(s, n) },
			side{name: peer, measure: b.bareDecided("unlisted", n, bare.Input{Timer: true, After: after})},
			side{name: peer + inList, measure: b.bareDecided("listed", n, bare.Input{Timer: true, After: after, Upsert: true})})
		title := fmt.Sprintf("verdict's webhook until the workflow has ended, %d at a time, Temporal on %s", connections, on.name)
		return b.turns(ctx, on.of("verdict"), title, sides, r,
			row{"rate", on.of("verdicts, rate"), perSecond, run.AtLeast(0.9)},
			row{"p50", on.of("verdicts, p50"), millis, run.Target{}},
			row{"p99", on.of("verdicts, p99"), millis, run.Target{}},
			row{"server", on.of("Temporal's processor time, start and verdict"), millis, run.Target{}})
	})
}

// decided measures n users whose verdict's webhook comes in; that they came so far is not timed.
func (b *bed) decided(s *system, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		about, _, err := s.begin(ctx, fmt.Sprintf("verdict-%d", i), n)
		if err != nil {
			return nil, err
		}
		all, err := s.approve(ctx, about)
		if err == nil {
			err = b.waitIdle(ctx)
		}
		if err != nil {
			return nil, err
		}
		return closed(ctx, connections, n, func(ctx context.Context, i int) error { return s.decide(ctx, all[i], about[i].VendorData) })
	}
}

func (b *bed) bareDecided(name string, n int, in bare.Input) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		prefix := fmt.Sprintf("peer-%s-%d", name, i)
		runs, _, err := b.bareBegin(ctx, prefix, n, in)
		if err == nil {
			err = b.waitIdle(ctx)
		}
		if err != nil {
			return nil, err
		}
		return closed(ctx, connections, n, func(ctx context.Context, i int) error {
			id := fmt.Sprintf("%s-%d", prefix, i)
			if err := b.plain.SignalWorkflow(ctx, id, runs[i], bare.Signal, nil); err != nil {
				return err
			}
			return b.plain.GetWorkflow(ctx, id, runs[i]).Get(ctx, nil)
		})
	}
}

// bodySize is about that of a webhook with a decision in it.
const bodySize = 4 << 10

// webhooks is how many of them are stored per second, and what that costs beside the storing.
func webhooks(ctx context.Context, env *run.Env) (*run.Report, error) {
	const note = "The floor: SignalWorkflow in a loop by as many callers in one process, with the same payload to as many verifications: " +
		"no HTTP, no signature, and no repeat is noticed; with the SDK's defaults, which compress every request, where ours does not. " +
		"Webhook's processor time is that of our process, or of the loop's, for each event."
	return onStores(ctx, env, note, func(b *bed, r *run.Report, on store) error {
		users, n := run.Pick(env, 500, 32), run.Pick(env, 1000, 128)
		waiting := map[*system][]diditsim.Session{}
		for _, s := range b.systems() {
			var err error
			if waiting[s], err = b.fill(ctx, s, "hook", users); err != nil {
				return err
			}
		}
		signalled, err := b.fill(ctx, b.ours, "signal", users) // others: a history that grows makes both slower
		if err != nil {
			return err
		}
		sides := b.sides(n, func(s *system) measurement { return s.hooked(waiting[s], n) },
			side{name: "bare SignalWorkflow", measure: ourselves(n, b.signalled(signalled, n))})
		title := fmt.Sprintf("webhooks of %d KB to %d users over %d connections, Temporal on %s", bodySize>>10, users, connections, on.name)
		return b.turns(ctx, on.of("webhook"), title, sides, r,
			row{"rate", on.of("webhooks, rate"), perSecond, run.AtLeast(0.95)},
			row{"p50", on.of("webhooks, p50"), millis, run.Target{}},
			row{"p99", on.of("webhooks, p99"), millis, run.Target{}},
			row{"webhook", on.of("webhooks, webhook's processor time"), micros, run.Target{}},
			row{"programs", on.of("webhooks, processor time of all our processes"), micros, run.Target{}},
			row{"server", on.of("webhooks, Temporal's processor time"), millis, run.Target{}})
	})
}

// hooked measures n webhooks about verifications, of which each round takes others.
func (s *system) hooked(about []diditsim.Session, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		all, err := hooks(s.WebhookURL, part(about, i, n), waits, n, bodySize)
		if err != nil {
			return nil, err
		}
		return closed(ctx, connections, n, func(ctx context.Context, i int) error { return all[i].send(ctx) })
	}
}

// signalled is the same by bare signals.
func (b *bed) signalled(about []diditsim.Session, n int) measurement {
	return func(ctx context.Context, i int) (figures, error) {
		about := part(about, i, n)
		return closed(ctx, connections, n, func(ctx context.Context, i int) error {
			v := about[i%len(about)]
			return b.plain.SignalWorkflow(ctx, kyc.WorkflowID(v.VendorData), "", kyc.SignalDiditEvent, kyc.DiditEvent{
				EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: v.ID, Status: waits, CreatedAt: time.Now().Unix(),
			})
		})
	}
}
