package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// world is many users as Temporal knows them, and counts what it is asked.
type world struct {
	mu           sync.Mutex
	runs         map[string]kyc.Summary // the newest of each
	older        []kyc.Summary
	down         bool
	lists, finds int
	ends         int           // finds of a run that has ended
	lag          time.Duration // of the list, behind the end of a run
	confirms     time.Duration // how long a list of named users takes
}

func (w *world) List(ctx context.Context, f kyc.Filter) (page kyc.Page, err error) {
	if f.UserIDs != nil {
		select {
		case <-time.After(w.confirms):
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists++
	if w.down {
		return page, errors.New("no route")
	}
	all := append([]kyc.Summary{}, w.older...)
	for _, s := range w.runs {
		all = append(all, s)
	}
	asked := map[string]bool{}
	for _, user := range f.UserIDs {
		asked[user] = true
	}
	for _, s := range all {
		if time.Since(s.EndedAt) < w.lag {
			continue
		}
		over := s.EndedAt.After(f.OverSince) || s.EndedAt.IsZero() && s.Outcome != ""
		if f.UserIDs == nil && over || asked[s.UserID] && (!f.Open || s.EndedAt.IsZero()) {
			page.Items = append(page.Items, s)
		}
	}
	return page, nil
}

func (w *world) Timeline(context.Context, string) ([]ops.Step, error) { return nil, nil }

func (w *world) find(user, ended string) (kyc.Found, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finds++
	if ended != "" {
		w.ends++
	}
	s := w.runs[user]
	return kyc.Found{State: kyc.State{UserID: user, Status: s.Status, Outcome: s.Outcome}, RunID: s.RunID}, nil
}

func (w *world) set(user string, change func(*kyc.Summary)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.runs[user]
	change(&s)
	w.runs[user] = s
}

// counts says how often the world was asked.
func (w *world) counts() (finds, lists int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.finds, w.lists
}

func (w *world) found() int {
	finds, _ := w.counts()
	return finds
}

// goes makes the list unreadable, or readable again.
func (w *world) goes(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// wait is a request that waits for d.
func (w *world) wait(watch *watcher, user string, d time.Duration) kyc.Found {
	ctx, cancel := context.WithTimeout(watch.until, d)
	defer cancel()
	found, _ := watch.wait(ctx, user, func(ended string) (kyc.Found, error) { return w.find(user, ended) })
	return found
}

func newWorld(t *testing.T, users ...string) (*world, *watcher) {
	t.Helper()
	w := &world{runs: map[string]kyc.Summary{}}
	for _, user := range users {
		w.runs[user] = kyc.Summary{UserID: user, RunID: "run-1", Status: didit.StatusInProgress, StartedAt: time.Now().Add(-time.Hour)}
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return w, newWatcher(ctx, w, func(kyc.Summary) {}, func() []string { return nil })
}

func approve(s *kyc.Summary) {
	s.Status, s.Outcome, s.EndedAt = didit.StatusApproved, kyc.OutcomeApproved, time.Now()
}

// The aim: 5,000 that wait, in 45 s each and again and again, ask less than once a second together, and the answer comes
// within 2 s.
func TestFiveThousandThatWaitAskLessThanOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many, minutes = 5000, 5
		users := make([]string, many)
		for i := range users {
			users[i] = fmt.Sprintf("u%d", i)
		}
		w, watch := newWorld(t, users...)
		var late atomic.Int64
		for _, user := range users {
			go func() {
				for watch.until.Err() == nil {
					if found := w.wait(watch, user, 45*time.Second); found.State.Outcome != "" {
						w.mu.Lock()
						late.Store(max(late.Load(), int64(time.Since(w.runs[user].EndedAt))))
						w.mu.Unlock()
						return
					}
				}
			}()
		}
		time.Sleep(endedEvery)
		require.Equal(t, many, w.found(), "each reads once, at first")
		_, before := w.counts()
		time.Sleep(minutes * time.Minute)
		assert.Equal(t, many, w.found(), "nothing has changed")
		_, lists := w.counts()
		assert.Less(t, float64(lists-before)/(minutes*60), 1.0)

		for i, user := range users[:100] {
			time.Sleep(time.Duration(i) * time.Millisecond)
			w.set(user, approve)
		}
		time.Sleep(2 * time.Second)
		assert.Equal(t, many+100, w.found(), "each verdict is read once")
		assert.Equal(t, 100, w.ends, "with one call")
		assert.LessOrEqual(t, time.Duration(late.Load()), 2*time.Second)
		assert.Positive(t, late.Load())
	})
}

// In a busy time the next poll follows soon. Confirmations, which may take long, delay no verdict.
func TestVerdictsOfABusyTimeAreAnsweredSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100
		users := make([]string, many)
		for i := range users {
			users[i] = fmt.Sprintf("u%d", i)
		}
		w, watch := newWorld(t, users...)
		w.lag, w.confirms = 500*time.Millisecond, 4*time.Second
		late := make(chan time.Duration, many)
		for _, user := range users {
			go func() {
				w.wait(watch, user, 45*time.Second)
				w.mu.Lock()
				defer w.mu.Unlock()
				late <- time.Since(w.runs[user].EndedAt)
			}()
		}
		for _, user := range users {
			time.Sleep(300 * time.Millisecond)
			w.set(user, approve)
		}
		sum := time.Duration(0)
		for range many {
			one := <-late
			assert.LessOrEqual(t, one, 2*time.Second)
			sum += one
		}
		assert.Less(t, sum/many, time.Second)
	})
}

func TestAnOutcomeThatIsStillBeingDeliveredEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		time.AfterFunc(3*time.Second, func() { w.set("u1", func(s *kyc.Summary) { approve(s); s.EndedAt = time.Time{} }) })
		began := time.Now()
		assert.Equal(t, kyc.OutcomeApproved, w.wait(watch, "u1", 45*time.Second).State.Outcome)
		assert.LessOrEqual(t, time.Since(began), 5*time.Second)
	})
}

// A status without an outcome ends no waiting, and is in the answer.
func TestAChangeOfStatusIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		time.AfterFunc(3*time.Second, func() { w.set("u1", func(s *kyc.Summary) { s.Status = didit.StatusInReview }) })
		began := time.Now()
		assert.Equal(t, didit.StatusInReview, w.wait(watch, "u1", 45*time.Second).State.Status)
		assert.Equal(t, 45*time.Second, time.Since(began))
		assert.Equal(t, 2, w.found())
	})
}

func TestAnOlderRunThatEndedWakesNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		old := w.runs["u1"]
		old.RunID, old.StartedAt = "run-0", old.StartedAt.Add(-time.Hour)
		approve(&old)
		w.mu.Lock()
		w.older = []kyc.Summary{old}
		w.mu.Unlock()
		assert.Empty(t, w.wait(watch, "u1", 30*time.Second).State.Outcome)
		assert.Equal(t, 1, w.found())
	})
}

func TestANewRunIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		time.AfterFunc(5*time.Second, func() {
			w.set("u1", func(s *kyc.Summary) { s.RunID, s.StartedAt, s.Status = "run-2", time.Now(), didit.StatusNotStarted })
		})
		time.AfterFunc(20*time.Second, func() { w.set("u1", approve) })
		began := time.Now()
		found := w.wait(watch, "u1", 45*time.Second)
		assert.Equal(t, "run-2", found.RunID)
		assert.Equal(t, kyc.OutcomeApproved, found.State.Outcome)
		assert.LessOrEqual(t, time.Since(began), 22*time.Second)
	})
}

// While the list cannot be read, what was known is not taken for fresh for ever.
func TestWithoutTheListEachRequestReadsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		assert.Empty(t, w.wait(watch, "u1", 40*time.Second).State.Outcome)
		require.Equal(t, 1, w.found())
		w.goes(true)
		time.Sleep(freshFor)
		w.set("u1", approve)
		assert.Equal(t, kyc.OutcomeApproved, w.wait(watch, "u1", time.Second).State.Outcome)
		w.goes(false)
	})
}

func TestTheWatcherRestsWithoutWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, watch := newWorld(t, "u1")
		w.wait(watch, "u1", time.Second)
		time.Sleep(keptFor + 2*endedEvery)
		_, before := w.counts()
		time.Sleep(time.Hour)
		_, after := w.counts()
		assert.Equal(t, before, after)
		watch.mu.Lock()
		assert.Empty(t, watch.users)
		watch.mu.Unlock()
		time.AfterFunc(time.Second, func() { w.set("u1", approve) })
		assert.Equal(t, kyc.OutcomeApproved, w.wait(watch, "u1", 45*time.Second).State.Outcome, "and begins again")
	})
}
