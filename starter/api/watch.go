package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"didit-temporal/kyc"
)

// The watcher's calls to Temporal, for all that wait together: 0.8 a second for news and 0.17 for confirmations.
const (
	newsEvery    = 1250 * time.Millisecond
	confirmEvery = 6 * time.Second
	listLimit    = 5 * time.Second // for one call
	// overlap is how much of the past each look at the news repeats: the list lags behind.
	overlap = 10 * time.Second
	// freshFor is how long a state holds that the list has confirmed; lingers how long one is kept that no request waits for.
	freshFor = 45 * time.Second
	lingers  = time.Minute
)

// watcher lets any number of requests wait for verdicts with one call to Temporal at a time. Its news are the runs that
// have got an outcome; its confirmations go through the users that are waited for, as a status may
// change without an outcome.
type watcher struct {
	records Records
	note    func(kyc.Summary) // gets each newest run that a list shows
	held    func() []string   // users to confirm beside those that are waited for
	until   context.Context   // done when the process is about to stop

	mu      sync.Mutex
	users   map[string]*waited
	running bool
	since   time.Time // runs that have ended since then are news
	page    string    // of the news
}

// waited is a user whose verdict requests wait for.
type waited struct {
	requests int
	left     time.Time     // when the last of them ended
	changed  chan struct{} // closed when Temporal's list shows another state than found
	found    kyc.Found
	fresh    time.Time // when found was last known to be so; zero: there is none
}

func newWatcher(until context.Context, r Records, note func(kyc.Summary), held func() []string) *watcher {
	return &watcher{until: until, records: r, note: note, held: held, users: map[string]*waited{}}
}

// wait returns how a user stands once find finds an outcome or an error, or when ctx ends. find is asked when nothing fresh
// is known, and when Temporal's list shows something else than what is known.
func (w *watcher) wait(ctx context.Context, userID string, find func() (kyc.Found, error)) (kyc.Found, error) {
	e := w.join(userID)
	defer func() { w.leave(e) }()
	for {
		if _, fresh := w.known(e); !fresh {
			found, err := find()
			if err != nil || found.State.Outcome != "" {
				return found, err
			}
			w.learn(e, found)
		}
		select {
		case <-e.changed:
			w.leave(e)
			e = w.join(userID)
		case <-ctx.Done():
			if found, fresh := w.known(e); fresh {
				return found, nil
			}
			return find()
		}
	}
}

// join makes a request one of those that wait for the user.
func (w *watcher) join(userID string) *waited {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.users[userID]
	if e == nil {
		e = &waited{changed: make(chan struct{})}
		w.users[userID] = e
	}
	e.requests++
	w.start()
	return e
}

func (w *watcher) leave(e *waited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.requests--; e.requests == 0 {
		e.left = time.Now()
	}
}

func (w *watcher) known(e *waited) (kyc.Found, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return e.found, time.Since(e.fresh) < freshFor
}

func (w *watcher) learn(e *waited, found kyc.Found) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.found, e.fresh = found, time.Now()
}

// begin starts to look, for the users that are held.
func (w *watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
}

// start begins to look unless it does already. It ends by itself once there is no user to look for; mu is held.
func (w *watcher) start() {
	if w.running || w.until.Err() != nil {
		return
	}
	w.running, w.since, w.page = true, time.Now().Add(-overlap), ""
	go w.run()
}

func (w *watcher) run() {
	news, confirmations := time.NewTicker(newsEvery), time.NewTicker(confirmEvery)
	defer news.Stop()
	defer confirmations.Stop()
	for {
		select {
		case <-w.until.Done():
			return
		case <-news.C:
			if w.idle() {
				return
			}
			w.readNews()
		case <-confirmations.C:
			w.confirm()
		}
	}
}

// idle forgets users that no request has waited for of late, and reports whether none is left.
func (w *watcher) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for user, e := range w.users {
		if e.requests == 0 && time.Since(e.left) > lingers {
			delete(w.users, user)
		}
	}
	w.running = len(w.users) > 0 || len(w.held()) > 0
	return !w.running
}

// readNews looks at one page of the runs that have got an outcome. A call that fails is made again at the next tick.
func (w *watcher) readNews() {
	began := time.Now()
	w.mu.Lock()
	f := kyc.Filter{OverSince: w.since, Limit: kyc.MaxList, Page: w.page}
	w.mu.Unlock()
	page, err := w.list(f)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.page = ""
		return
	}
	w.see(page.Items)
	if w.page = page.Next; w.page == "" {
		w.since = began.Add(-overlap)
	}
}

// confirm looks at the open runs of the users that were confirmed longest ago.
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
	for _, s := range w.see(page.Items) {
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

// see wakes those who wait for a user whose newest run is not as it was found. It returns the others; mu is held.
func (w *watcher) see(runs []kyc.Summary) (same []kyc.Summary) {
	slices.SortFunc(runs, func(a, b kyc.Summary) int { return b.StartedAt.Compare(a.StartedAt) })
	seen := map[string]bool{}
	for _, s := range runs {
		if seen[s.UserID] { // an older run
			continue
		}
		seen[s.UserID] = true
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
			continue // an older run among the news
		}
		close(e.changed)
		delete(w.users, s.UserID)
	}
	return same
}

func (w *watcher) list(f kyc.Filter) (kyc.Page, error) {
	ctx, cancel := context.WithTimeout(w.until, listLimit)
	defer cancel()
	return w.records.List(ctx, f)
}
