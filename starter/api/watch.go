package api

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"didit-temporal/kyc"
)

// The watcher's calls to Temporal, for all waiting requests together: 0.8 a second for ended runs and 0.17 for confirmations
// while no run ends.
const (
	endedEvery = 1250 * time.Millisecond // from the end of one poll to the next
	// endedSoon follows a poll that ended a wait, since in a busy time more runs end. The pause then doubles up to endedEvery.
	endedSoon    = 200 * time.Millisecond
	confirmEvery = 6 * time.Second
	listLimit    = 5 * time.Second // for one call
	// overlap is how much of the past each poll of the ended runs repeats: Temporal's list lags behind.
	overlap = 10 * time.Second
	// freshFor is how long a state that the list has confirmed is valid; keptFor is how long a state without a waiting request is kept.
	freshFor = 45 * time.Second
	keptFor  = time.Minute
	maxReads = 32
)

// watcher lets any number of requests wait for verdicts with one call to Temporal at a time. It polls the runs that have
// ended. It also confirms the users that requests wait for in turn, as a status may change without an outcome.
type watcher struct {
	records Records
	note    func(kyc.Summary) // called with each newest run of a list
	held    func() []string   // users to confirm beside those that requests wait for
	until   context.Context   // done when the process stops
	reads   singleflight.Group
	slots   chan struct{} // holds one for each read in flight

	mu      sync.Mutex
	users   map[string]*waited
	running bool

	// Where the poll of ended runs continues; only its goroutine uses them.
	since time.Time
	page  string
	pause time.Duration
}

// waited is a user whose verdict requests wait for.
type waited struct {
	requests int
	left     time.Time     // when the last request ended
	changed  chan struct{} // closed when Temporal's list shows that the run may have an outcome
	found    kyc.Found
	fresh    time.Time // when found was last known to be true; zero: never
	old      bool      // Temporal's list shows another status than found
	ended    string    // the run of found, once the list shows its end; set before changed is closed
}

func newWatcher(until context.Context, r Records, note func(kyc.Summary), held func() []string) *watcher {
	return &watcher{until: until, records: r, note: note, held: held, slots: make(chan struct{}, maxReads), users: map[string]*waited{}}
}

// wait returns the state of a user once find returns an outcome or an error, or when ctx ends or the process stops. It calls
// find when it has no fresh state, and when Temporal's list shows an outcome; all requests for a user share one find.
func (w *watcher) wait(ctx context.Context, userID string, find finder) (kyc.Found, error) {
	e, ended := w.join(userID), ""
	defer func() { w.leave(e) }()
	for {
		if _, fresh := w.known(e); !fresh {
			found, err := w.read(userID, ended, find)
			if err != nil || found.State.Outcome != "" {
				return found, err
			}
			w.learn(e, found)
		}
		select {
		case <-e.changed:
			w.leave(e)
			e, ended = w.join(userID), e.ended
			continue
		case <-ctx.Done():
		case <-w.until.Done():
		}
		if found, fresh := w.known(e); fresh {
			return found, nil
		}
		return w.read(userID, "", find)
	}
}

// finder reads the state that a run ended with, or that of the newest run if ended is empty.
type finder = func(ended string) (kyc.Found, error)

// read calls find, once for each user and few at a time: after a restart thousands of requests may start to wait at once.
func (w *watcher) read(userID, ended string, find finder) (kyc.Found, error) {
	found, err, _ := w.reads.Do(userID, func() (any, error) {
		w.slots <- struct{}{}
		defer func() { <-w.slots }()
		return find(ended)
	})
	f, _ := found.(kyc.Found)
	return f, err
}

// join adds a request to those that wait for the user.
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
	return e.found, !e.old && time.Since(e.fresh) < freshFor
}

func (w *watcher) learn(e *waited, found kyc.Found) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.found, e.fresh, e.old = found, time.Now(), false
}

// begin starts the polls, for the users that are held.
func (w *watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
}

// start starts the polls unless they run. They end by themselves when no user is left; mu is held.
func (w *watcher) start() {
	if w.running || w.until.Err() != nil {
		return
	}
	w.running = true
	go w.run()
}

// run polls, and confirms beside it: a list of a thousand users may take seconds.
func (w *watcher) run() {
	ctx, stop := context.WithCancel(w.until)
	defer stop()
	w.since, w.page, w.pause = time.Now().Add(-overlap), "", endedEvery
	go repeat(ctx, confirmEvery, w.confirm)
	repeat(ctx, endedEvery, w.pollEnded)
}

// repeat calls ask after a pause and then after each pause that it returns, until that is zero or ctx is done.
func repeat(ctx context.Context, pause time.Duration, ask func() time.Duration) {
	for timer := time.NewTimer(pause); pause > 0; timer.Reset(pause) {
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			pause = ask()
		}
	}
}

// idle drops users without recent requests, and reports whether none is left.
func (w *watcher) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for user, e := range w.users {
		if e.requests == 0 && time.Since(e.left) > keptFor {
			delete(w.users, user)
		}
	}
	w.running = len(w.users) > 0 || len(w.held()) > 0
	return !w.running
}
