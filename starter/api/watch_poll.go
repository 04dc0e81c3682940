package api

import (
	"context"
	"slices"
	"time"

	"didit-temporal/kyc"
)

// pollEnded reads one page of the runs that have ended. It reports whether to poll again soon: a wait has ended, or there is
// another page. A failed call is repeated at the next tick.
func (w *watcher) pollEnded() (soon bool) {
	began := time.Now()
	w.mu.Lock()
	f := kyc.Filter{OverSince: w.since, Limit: kyc.MaxList, Page: w.page}
	w.mu.Unlock()
	page, err := w.list(f)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.page = ""
		return false
	}
	_, woken := w.apply(page.Items)
	if w.page = page.Next; w.page == "" {
		w.since = began.Add(-overlap)
	}
	return woken > 0 || w.page != ""
}

// confirm reads the open runs of the users that were confirmed longest ago.
func (w *watcher) confirm() {
	batch := w.oldest(kyc.MaxList)
	if len(batch) == 0 {
		return
	}
	began := time.Now()
	page, err := w.list(kyc.Filter{UserIDs: batch, Open: true, Limit: kyc.MaxList})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		return
	}
	same, _ := w.apply(page.Items)
	for _, s := range same {
		if e := w.users[s.UserID]; e != nil && e.fresh.Before(began) {
			e.fresh = began
		}
	}
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

// apply wakes the requests of each user whose newest run has changed. It returns the other runs, and how
// many users it woke; mu is held.
func (w *watcher) apply(runs []kyc.Summary) (same []kyc.Summary, woken int) {
	slices.SortFunc(runs, func(a, b kyc.Summary) int { return b.StartedAt.Compare(a.StartedAt) })
	done := map[string]bool{}
	for _, s := range runs {
		if done[s.UserID] { // an older run
			continue
		}
		done[s.UserID] = true
		w.note(s)
		e := w.users[s.UserID]
		if e == nil || e.fresh.IsZero() {
			continue
		}
		if s.RunID == e.found.RunID && s.Outcome == "" && s.EndedAt.IsZero() && s.Status == e.found.State.Status {
			same = append(same, s)
			continue
		}
		if s.RunID != e.found.RunID && s.StartedAt.Before(e.fresh.Add(-overlap)) && !s.EndedAt.IsZero() {
			continue // an older run that has ended
		}
		close(e.changed)
		delete(w.users, s.UserID)
		woken++
	}
	return same, woken
}

func (w *watcher) list(f kyc.Filter) (kyc.Page, error) {
	ctx, cancel := context.WithTimeout(w.until, listLimit)
	defer cancel()
	return w.records.List(ctx, f)
}
