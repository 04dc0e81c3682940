package chaos

import (
	"context"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/procs"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// report is what an audit counted.
type report struct {
	users, sessions           int
	killed, ended             map[string]int
	attempts, refused, silent int // deliveries: all, answered with an error, not answered
	foul                      int // deliveries answered with neither 2xx nor 5xx
	acked, found, late, lost  int // events: answered 2xx, of these in a history, in a DecisionChange, nowhere
	missed                    int // events that were never answered 2xx: the verification found out by itself
	duplicates                int // events that are more than once in a run
	creates                   int // calls to create a session
	twice, wrong, stuck       int // users
	details                   []string
	took                      time.Duration
}

// audit waits until everything has ended and compares what Didit knows with what Temporal knows.
func (c *chaos) audit(crowd []person) *report {
	ctx := c.within(c.limit())
	r := &report{users: len(crowd), killed: map[string]int{}, ended: map[string]int{}}
	for _, p := range []*procs.Program{c.webhook, c.worker} {
		r.killed[p.Name()], r.ended[p.Name()] = p.Counts()
	}
	r.killed[victimTemporal] = c.temporalKills()
	states := make([]kyc.State, len(crowd))
	each(len(crowd), func(i int) {
		state, err := c.ends(ctx, crowd[i].id)
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
	c.eventually(func() bool { return c.running(ctx) == 0 }, "changes after the end are done with")
	events := r.countDeliveries(c.sim.Deliveries())
	r.sessions = len(c.sim.Sessions())
	books := make([]book, len(crowd))
	each(len(crowd), func(i int) { books[i] = c.read(ctx, crowd[i].id) })
	for i, p := range crowd {
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

// running counts the workflows that have not ended; -1 if nobody can say.
func (w *world) running(ctx context.Context) int {
	res, err := w.Temporal().CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: w.Namespace(), Query: `ExecutionStatus = "Running"`,
	})
	if err != nil {
		return -1
	}
	return int(res.GetCount())
}

// countDeliveries returns the events that were answered 2xx, by session.
func (r *report) countDeliveries(all []diditsim.Delivery) map[string][]string {
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
			events[d.SessionID] = append(events[d.SessionID], d.EventID)
		}
	}
	r.acked, r.missed = len(seen), len(sent)-len(seen)
	return events
}

// book is what Temporal has of a user.
type book struct {
	signals map[string]int  // by event id, in the run that made the session
	changes map[string]bool // by event id
	err     error
}

func (w *world) read(ctx context.Context, user string) book {
	b := book{signals: map[string]int{}, changes: map[string]bool{}}
	sessions := w.sim.SessionsOf(user)
	if len(sessions) == 0 {
		return b
	}
	run := kyc.MetadataOf(sessions[0].Metadata).RunID
	events, err := w.history(ctx, kyc.WorkflowID(user), run)
	if err != nil {
		b.err = err
		return b
	}
	for _, ev := range events {
		if s := ev.GetWorkflowExecutionSignaledEventAttributes(); s != nil {
			var e kyc.DiditEvent
			b.err = converter.GetDefaultDataConverter().FromPayloads(s.GetInput(), &e)
			b.signals[e.EventID]++
		}
	}
	return b
}

func (w *world) history(ctx context.Context, workflowID, runID string) (events []*historypb.HistoryEvent, err error) {
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

// changed reports whether a DecisionChange was started with the event.
func (w *world) changed(user, eventID string) bool {
	events, err := w.history(w.within(patience), kyc.ChangeID(user, eventID), "")
	if err != nil || len(events) == 0 {
		return false
	}
	var in kyc.Change
	begun := events[0].GetWorkflowExecutionStartedEventAttributes()
	return converter.GetDefaultDataConverter().FromPayloads(begun.GetInput(), &in) == nil && in.Event.EventID == eventID
}
