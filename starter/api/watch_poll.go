package api

import (
	"context"
	"slices"
	"time"

	"didit-temporal/kyc"
)

// pollEnded reads one page of the runs that have ended. The next poll is soon if a wait has ended, or if there is another page.
func (w *watcher) pollEnded() time.Duration {
	if w.idle() {
		return 0
	}
	began := time.Now()
	next, woken, err := w.look(kyc.Filter{OverSince: w.since, Limit: kyc.MaxList, Page: w.page})
	w.page = next
	if err == nil && next == "" {
		w.since = began.Add(-overlap)
	}
	w.pause = min(2*w.pause, endedEvery)
	if woken > 0 || next != "" {
		w.pause = endedSoon
	}
	return w.pause
}

// confirm reads the open runs of the users that were confirmed longest ago.
func (w *watcher) confirm() time.Duration {
	began := time.Now()
	if users := w.oldest(kyc.MaxList); len(users) > 0 {
		_, _, _ = w.look(kyc.Filter{UserIDs: users, Open: true, Limit: kyc.MaxList}) // what was not confirmed gets old
	}
	return max(confirmEvery-time.Since(began), endedSoon)
}

// look reads a page of the list and applies it. It returns the next page and how many users it woke.
func (w *watcher) look(f kyc.Filter) (next string, woken int, err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.until, listLimit)
	defer cancel()
	page, err := w.records.List(ctx, f)
	if err != nil {
		return "", 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return page.Next, w.apply(page.Items, began), nil
}

// oldest are up to n users, half of them at most those that are only held.
func (w *watcher) oldest(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.held()
	held = held[:min(len(held), n/2)]
	users := make([]string, 0, len(w.users))
	for user, e := range w.users {
		if !e.fresh.IsZero() {
			users = append(users, user)
		}
	}
	slices.SortFunc(users, func(a, b string) int { return w.users[a].fresh.Compare(w.users[b].fresh) })
	return append(held, users[:min(len(users), n-len(held))]...)
}

// apply wakes the requests of each user whose newest run has an outcome or has ended, and records which other states a list
// that began then confirms. It returns how many users it woke; mu is held.
func (w *watcher) apply(runs []kyc.Summary, began time.Time) (woken int) {
	slices.SortFunc(runs, func(a, b kyc.Summary) int { return b.StartedAt.Compare(a.StartedAt) })
	done := map[string]bool{}
	for _, s := range runs {
		if done[s.UserID] { // an older run
			continue
		}
		done[s.UserID] = true
		w.note(s)
		e := w.users[s.UserID]
		switch {
		case e == nil || e.fresh.IsZero():
		case s.RunID != e.found.RunID && s.StartedAt.Before(e.fresh.Add(-overlap)) && !s.EndedAt.IsZero(): // an older run
		case s.Outcome != "" || !s.EndedAt.IsZero():
			if s.RunID == e.found.RunID && !s.EndedAt.IsZero() {
				e.ended = s.RunID
			}
			close(e.changed)
			delete(w.users, s.UserID)
			woken++
		case s.RunID != e.found.RunID || s.Status != e.found.State.Status:
			e.old = true // the end of a wait reads it again
		case e.fresh.Before(began):
			e.fresh = began
		}
	}
	return woken
}
