package api

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"didit-temporal/kyc"
)

// The watcher's calls to Temporal, for all that wait together: 0.71 a second for news and 0.17 for confirmations.
const (
	newsEvery    = 1400 * time.Millisecond
	confirmEvery = 6 * time.Second
	listLimit    = 5 * time.Second // for one call
	// overlap is how much of the past each look at the news repeats: the list lags behind.
	overlap = 10 * time.Second
	// freshFor is how long a state holds that the list has confirmed; lingers how long one is kept that no request waits for.
	freshFor = 45 * time.Second
	lingers  = time.Minute
	maxLooks = 32
)

// watcher lets any number of requests wait for verdicts with one call to Temporal at a time. Its news are the runs that
// have got an outcome; its confirmations go through the users that are waited for, as a status may
// change without an outcome.
type watcher struct {
	records Records
	note    func(kyc.Summary) // gets each newest run that a list shows
	held    func() []string   // users to confirm beside those that are waited for
	until   context.Context   // done when the process is about to stop
	looks   singleflight.Group
	room    chan struct{} // holds one for each look under way

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
	return &watcher{until: until, records: r, note: note, held: held, room: make(chan struct{}, maxLooks), users: map[string]*waited{}}
}

// wait returns how a user stands once find finds an outcome or an error, or when ctx ends or the process is about to stop. find is asked when nothing fresh
// is known, and when Temporal's list shows something else than what is known; all that wait for a user share one find.
func (w *watcher) wait(ctx context.Context, userID string, find func() (kyc.Found, error)) (kyc.Found, error) {
	e := w.join(userID)
	defer func() { w.leave(e) }()
	for {
		if _, fresh := w.known(e); !fresh {
			found, err := w.look(userID, find)
			if err != nil || found.State.Outcome != "" {
				return found, err
			}
			w.learn(e, found)
		}
		select {
		case <-e.changed:
			w.leave(e)
			e = w.join(userID)
			continue
		case <-ctx.Done():
		case <-w.until.Done():
		}
		if found, fresh := w.known(e); fresh {
			return found, nil
		}
		return w.look(userID, find)
	}
}

// look asks find, one for each user and few at a time: thousands may begin to wait at once, as after a restart.
func (w *watcher) look(userID string, find func() (kyc.Found, error)) (kyc.Found, error) {
	found, err, _ := w.looks.Do(userID, func() (any, error) {
		w.room <- struct{}{}
		defer func() { <-w.room }()
		return find()
	})
	f, _ := found.(kyc.Found)
	return f, err
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
