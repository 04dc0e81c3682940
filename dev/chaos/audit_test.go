package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/procs"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// report is what an audit counted.
type report struct {
	users, sessions           int
	killed, ended             map[string]int
	attempts, refused, silent int // deliveries: all, answered with an error, not answered
	foul                      int // deliveries answered with neither 2xx nor 5xx
	acked                     int // events that were answered 2xx; of these
	found, late, noNews, lost int // in the run that made the session, in a later one, of a session's start, nowhere
	missed                    int // events that were never answered 2xx: the verification found out by itself
	duplicates                int // events that are more than once in a run
	creates                   int // calls to create a session
	twice, wrong, stuck       int // users
	details                   []string
	took                      time.Duration
}

// audit waits until everything has ended and compares what Didit knows with what Temporal knows.
func (c *chaos) audit(persons []person) *report {
	ctx := c.within(c.limit())
	r := &report{users: len(persons), killed: map[string]int{}, ended: map[string]int{}}
	for _, p := range []*procs.Program{c.webhook, c.worker} {
		r.killed[p.Name()], r.ended[p.Name()] = p.Counts()
	}
	r.killed[victimTemporal] = c.temporalKills()
	states := make([]kyc.State, len(persons))
	each(len(persons), func(i int) {
		state, err := c.ends(ctx, persons[i].id)
		if err == nil {
			c.mu.Lock()
			c.closed++
			c.mu.Unlock()
		}
		states[i] = state
	})
	if err := c.sim.Wait(ctx); err != nil {
		r.note("webhooks are still on their way: %v", err)
	}
	c.eventually(func() bool { return c.running(ctx) == 0 }, "late updates are done with")
	events := r.countDeliveries(c.sim.Deliveries())
	r.sessions = len(c.sim.Sessions())
	books := make([]book, len(persons))
	each(len(persons), func(i int) { books[i] = c.read(ctx, persons[i].id) })
	for i, p := range persons {
		r.judge(c, p, states[i], books[i], events)
	}
	return r
}

// each calls f for 0 to n-1, some at a time.
func each(n int, f func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// running counts the workflows that have not ended; -1 if unknown.
func (w *env) running(ctx context.Context) int {
	res, err := w.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: w.Namespace(), Query: `ExecutionStatus = "Running"`,
	})
	if err != nil {
		return -1
	}
	return int(res.GetCount())
}

// countDeliveries returns the events that were answered 2xx, by session. That a session was made is known without its
// webhook, so that one is in no history.
func (r *report) countDeliveries(all []diditsim.DeliveryAttempt) map[string][]string {
	events, seen, sent := map[string][]string{}, map[string]bool{}, map[string]bool{}
	for _, d := range all {
		r.attempts++
		sent[d.EventID] = true
		switch {
		case d.Code == 0:
			r.silent++
		case d.Code >= 500:
			r.refused++
		case d.Code >= 300:
			r.foul++
			r.note("session %s: a webhook was answered %d", d.SessionID, d.Code)
		case !seen[d.EventID]:
			seen[d.EventID] = true
			if d.Status == didit.StatusNotStarted {
				r.noNews++
				continue
			}
			events[d.SessionID] = append(events[d.SessionID], d.EventID)
		}
	}
	r.acked, r.missed = len(seen), len(sent)-len(seen)
	return events
}

// book is what Temporal has of a user.
type book struct {
	signals map[string]int  // by run and event id
	first   map[string]bool // events in the run that made the session
	later   map[string]bool // events in the runs after it
	err     error
}

func (w *env) read(ctx context.Context, user string) book {
	b := book{signals: map[string]int{}, first: map[string]bool{}, later: map[string]bool{}}
	sessions := w.sim.SessionsOf(user)
	if len(sessions) == 0 {
		return b
	}
	first := kyc.MetadataOf(sessions[0].Metadata).RunID
	runs, err := w.Temporal().ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: w.Namespace(), Query: fmt.Sprintf("WorkflowId = '%s'", kyc.WorkflowID(user)),
	})
	if err != nil {
		b.err = err
		return b
	}
	for _, x := range runs.GetExecutions() {
		run := x.GetExecution().GetRunId()
		signals, err := w.signalsOf(ctx, user, run)
		if err != nil {
			b.err = err
			return b
		}
		for _, e := range signals {
			b.signals[run+" "+e.EventID]++
			if run == first {
				b.first[e.EventID] = true
			} else {
				b.later[e.EventID] = true
			}
		}
	}
	return b
}

func (w *env) signalsOf(ctx context.Context, user, run string) (signals []kyc.DiditEvent, err error) {
	events, err := w.history(ctx, kyc.WorkflowID(user), run)
	if err != nil {
		return nil, err
	}
	for _, ev := range events {
		if s := ev.GetWorkflowExecutionSignaledEventAttributes(); s != nil {
			var e kyc.DiditEvent
			if err := converter.GetDefaultDataConverter().FromPayloads(s.GetInput(), &e); err != nil {
				return nil, err
			}
			signals = append(signals, e)
		}
	}
	return signals, nil
}

func (w *env) history(ctx context.Context, workflowID, runID string) (events []*historypb.HistoryEvent, err error) {
	it := w.Temporal().GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		ev, err := it.Next()
		if err != nil {
			return nil, err
		}
		events = append(events, ev)
	}
	return events, nil
}
