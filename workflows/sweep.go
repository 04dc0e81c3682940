package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"didit-temporal/activities"
	"didit-temporal/kyc"
)

const (
	// retryWindow is longer than Didit waits between two attempts: after it no further one comes.
	retryWindow = 5 * time.Minute
	// sweepOverlap makes each attempt part of two sweeps: Didit may show one late.
	sweepOverlap = 10 * time.Minute
	// firstWindow is how far back the first sweep of a destination reads.
	firstWindow = 24 * time.Hour
	// What one sweep may read of one destination: 20,000 attempts are more than Didit's limits allow in 15 minutes.
	maxSweepPages = 400
	maxSweepFound = 500
	// maxHanded bounds the sessions that a partial sweep keeps; the next one delivers the others again.
	maxHanded = 5000
)

// Metrics of sweeps.
const (
	MetricSweeps     = "kyc_sweeps"      // sweeps that ended; tag state
	MetricSweepFound = "kyc_sweep_found" // lost events that were delivered; tag result
	MetricSweepLate  = "kyc_sweep_late"  // from an event to its delivery by a sweep
)

// Sweep finds events that Didit could not deliver, and delivers them as the webhook would. A schedule starts it. It continues
// where the last completed sweep has ended, so that one which failed, or came late, loses nothing.
func Sweep(ctx workflow.Context) (kyc.SweepResult, error) {
	s := &sweep{now: workflow.Now(ctx), handed: map[string]bool{}}
	if workflow.HasLastCompletionResult(ctx) {
		if err := workflow.GetLastCompletionResult(ctx, &s.last); err != nil {
			workflow.GetLogger(ctx).Warn("the result of the last sweep cannot be read: reading a day back", "error", err)
		}
	}
	err := s.run(ctx)
	return s.result, err
}

// sweep is the state of a sweep.
type sweep struct {
	now    time.Time
	last   kyc.SweepResult
	result kyc.SweepResult
	handed map[string]bool // sessions of which an event was delivered, by key
}

func (s *sweep) run(ctx workflow.Context) error {
	s.result.State = kyc.SweepDone
	var all activities.SweptDestinations
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, s.reading("List the webhook destinations")), acts.ListDestinations).Get(ctx, &all)
	for _, id := range all.IDs {
		if err != nil {
			break
		}
		var next kyc.SweepCursor
		next, err = s.destination(ctx, s.cursor(id))
		s.result.Cursors = append(s.result.Cursors, next)
	}
	if refusal := failureType(err); refusal != "" {
		s.unreadable(ctx, refusal, all.IDs)
	} else if err != nil {
		return err
	}
	h := workflow.GetMetricsHandler(ctx)
	h.WithTags(map[string]string{"state": string(s.result.State)}).Counter(MetricSweeps).Inc(1)
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**%s**: %d lost events delivered, %d reads.", s.result.State, s.result.Found, s.result.Reads))
	return nil
}

// unreadable ends a sweep that Didit refuses. It warns once, not every 15 minutes; the cursors stay where they were.
func (s *sweep) unreadable(ctx workflow.Context, kind string, ids []string) {
	s.result.State, s.result.ErrorType = kyc.SweepUnreadable, kind
	for _, id := range ids[min(len(s.result.Cursors), len(ids)):] {
		s.result.Cursors = append(s.result.Cursors, s.cursor(id))
	}
	if len(ids) == 0 {
		s.result.Cursors = s.last.Cursors
	}
	if s.last.State != kyc.SweepUnreadable {
		workflow.GetLogger(ctx).Warn("sweeps cannot read the webhook deliveries at Didit: check that the key has webhooks:read and decisions:read",
			"error_type", kind)
	}
}

// cursor is where the last sweep of a destination has ended.
func (s *sweep) cursor(destination string) kyc.SweepCursor {
	if i := slices.IndexFunc(s.last.Cursors, func(c kyc.SweepCursor) bool { return c.Destination == destination }); i >= 0 {
		return s.last.Cursors[i]
	}
	return kyc.SweepCursor{Destination: destination, From: s.now.Add(-firstWindow)}
}

// destination reads the attempts of one destination back to the cursor, newest first, and returns the next cursor; after an
// error the same one.
func (s *sweep) destination(ctx workflow.Context, c kyc.SweepCursor) (kyc.SweepCursor, error) {
	complete := s.now.Add(-retryWindow - sweepOverlap) // up to then nothing is left for the next sweep
	w := &walk{sweep: s, cursor: c, next: kyc.SweepCursor{Destination: c.Destination, From: c.From, Mark: complete}, known: map[string]bool{}}
	w.before = map[string]time.Time{}
	for _, h := range c.Handed {
		w.before[h.Key] = later(w.before[h.Key], h.At)
	}
	for range maxSweepPages {
		page, err := w.page(ctx)
		if err != nil {
			return c, err
		}
		if !page.More {
			next := kyc.SweepCursor{Destination: c.Destination, From: later(c.From, complete)}
			next.Handed = w.deliveredSince(next.From)
			return next, nil
		}
		if w.found >= maxSweepFound {
			break
		}
	}
	s.result.State = kyc.SweepPartial
	w.next.Handed = w.deliveredSince(c.From)
	return w.next, nil
}

// deliveredSince lists the sessions whose events of attempts since from were delivered, by this sweep and by earlier ones.
func (w *walk) deliveredSince(from time.Time) (all []kyc.SweptSession) {
	for _, h := range slices.Concat(w.handedNow, w.cursor.Handed) {
		if !h.At.Before(from) && len(all) < maxHanded {
			all = append(all, h)
		}
	}
	return all
}

// walk goes through the attempts of one destination.
type walk struct {
	*sweep
	cursor, next kyc.SweepCursor
	before       map[string]time.Time // the newest attempt of each session that earlier sweeps delivered, by key
	handedNow    []kyc.SweptSession
	known        map[string]bool // sessions of which a newer attempt was read, by key
	offset       int
	fresh        int       // attempts after the cursor's mark
	oldest       time.Time // read so far
	jumped       bool      // over what the last, partial, sweep has read
	found        int
}

// page reads the next page and delivers the events that are lost on it.
func (w *walk) page(ctx workflow.Context) (activities.LostPage, error) {
	page, err := call(ctx, w.reading("Find webhooks that were not delivered"), acts.FindLost, activities.FindLostInput{
		Destination: w.cursor.Destination, Offset: w.offset, From: w.cursor.From, Mark: w.cursor.Mark, NextMark: w.next.Mark, Repeated: w.oldest,
	})
	if err == nil {
		err = w.deliverLost(ctx, page)
	}
	if err == nil {
		w.move(page)
	}
	return page, err
}

// move continues with older attempts, past those that a partial sweep has read. Attempts that Didit makes meanwhile move the
// others down: pages may repeat some, but none is missed, since repeated ones do not count as read.
func (w *walk) move(page activities.LostPage) {
	w.fresh += page.Fresh
	w.next.Read += page.Read
	w.offset, w.oldest = w.offset+page.Attempts, page.Oldest
	unread := w.fresh + w.cursor.Read
	if w.jumped || page.Fresh == page.Attempts || unread <= w.offset {
		return
	}
	w.next.Read += w.cursor.Read - (page.Attempts - page.Fresh)
	w.jumped, w.offset, w.oldest = true, unread, time.Time{}
}

// deliverLost delivers the newest failed event of each session, all of a page at the same time.
func (w *walk) deliverLost(ctx workflow.Context, page activities.LostPage) error {
	var calls []workflow.Future
	for _, d := range w.lost(page) {
		options := w.reading("Deliver a lost event")
		calls = append(calls, workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), acts.HandOn,
			activities.HandOnInput{Destination: w.cursor.Destination, Delivery: d.ID}))
	}
	var failed error
	for _, f := range calls {
		var done activities.HandedOn
		if err := f.Get(ctx, &done); err != nil {
			failed = err
			continue
		}
		w.measure(ctx, done)
	}
	return failed
}

// lost returns the attempts of a page to deliver, and records the attempts of each session. A new failed one may still be
// retried by Didit: that is for the next sweep.
func (w *walk) lost(page activities.LostPage) (all []activities.FailedAttempt) {
	final := w.now.Add(-retryWindow)
	for _, d := range page.Failed {
		superseded := w.known[d.Key] || w.handed[d.Key] || !d.At.After(w.before[d.Key])
		w.known[d.Key] = true
		if superseded || d.At.After(final) {
			continue
		}
		w.handed[d.Key] = true
		w.handedNow = append(w.handedNow, kyc.SweptSession{Key: d.Key, At: d.At})
		all = append(all, d)
	}
	for _, key := range page.Taken {
		w.known[key] = true
	}
	w.found += len(all)
	return all
}

func (s *sweep) measure(ctx workflow.Context, done activities.HandedOn) {
	s.result.Found++
	h := workflow.GetMetricsHandler(ctx)
	h.WithTags(map[string]string{"result": done.Result}).Counter(MetricSweepFound).Inc(1)
	if done.LateSeconds > 0 {
		h.Timer(MetricSweepLate).Record(time.Duration(done.LateSeconds) * time.Second)
	}
}

// reading counts one call to Didit, and returns its options.
func (s *sweep) reading(summary string) workflow.ActivityOptions {
	s.result.Reads++
	return callOptions(kyc.TaskQueueDiditRead, summary, lastPriority, refusals()...)
}
