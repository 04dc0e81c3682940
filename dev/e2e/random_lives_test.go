package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"didit-temporal/dev/skip"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

var (
	randomLives = flag.Uint64("lives", 30, "how many random lives users live on the real server (make chaos: 1000)")
	oneLife     = flag.Uint64("life", 0, "the seed of the one random life to live")
)

const (
	// lifeTimeout is far beyond what a step or the end of a life takes: START waits for up to 75 seconds while Didit may not
	// show yet what it has sent, and the machine may be busy. Only a life that goes wrong uses it up.
	lifeTimeout = 10 * time.Minute
	// livesAtOnce keeps the machine busy: a life mostly waits.
	livesAtOnce = 32
)

// webhookRetries are more than Didit's two: on a busy machine a webhook may time out, and only a life may lose one.
var webhookRetries = []time.Duration{
	time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, time.Minute, time.Minute, time.Minute,
}

// crowd is a system in which many people live at once.
type crowd struct {
	*system
	inbox    *inbox
	mu       sync.Mutex
	events   map[string][]diditsim.Event // by user, in the order in which they happened
	fate     map[string][]diditsim.Send  // of a user's next webhooks, if it is not the usual one
	reissued map[string]bool             // Didit handed out an unfinished session again, with other metadata
	happened map[string]int
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	b := newInbox(t)
	c := &crowd{inbox: b, events: map[string][]diditsim.Event{}, fate: map[string][]diditsim.Send{}, reissued: map[string]bool{}, happened: map[string]int{}}
	c.system = start(t, options{reconcileAfter: time.Second, resultURL: b.URL, sessionCap: 100, webhookRetries: webhookRetries})
	c.sim.SetWebhookScript(func(e diditsim.Event) []diditsim.Send {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events[e.VendorData] = append(c.events[e.VendorData], e)
		if plan, ok := c.fate[e.VendorData]; ok {
			return plan
		}
		return []diditsim.Send{{}}
	})
	c.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Times: 1 << 30, Match: func(r *http.Request) bool { c.watch(r); return false }})
	return c
}

// watch notes a create that Didit answers with a session that it has.
func (c *crowd) watch(r *http.Request) {
	var b struct {
		Vendor string `json:"vendor_data"`
		Flow   string `json:"workflow_id"`
	}
	if r.URL.Path != "/v3/session/" || json.NewDecoder(r.Body).Decode(&b) != nil {
		return
	}
	for _, x := range c.sim.SessionsOf(b.Vendor) {
		if x.WorkflowID == b.Flow && unfinished(x.Status) {
			c.mu.Lock()
			c.reissued[b.Vendor] = true
			c.mu.Unlock()
		}
	}
}

// resident is one user of a crowd.
type resident struct {
	*crowd
	user    string
	known   map[string]diditsim.Session // as they were first seen: sessions may be deleted
	forgets int                         // how often Temporal forgot what a run had reported
}

// live lives a life and returns what was wrong at its end; empty if nothing was. What is wrong may take until the timeout
// to become right.
func (c *crowd) live(user string, steps []step, timeout time.Duration) (*resident, string) {
	p := &resident{crowd: c, user: user, known: map[string]diditsim.Session{}}
	for _, o := range steps {
		if o.calm {
			within(c.t.Context(), 2*time.Second, p.shown)
		}
		if err := p.happens(o); err != nil {
			return p, fmt.Sprintf("%s: %v", o, err)
		}
		p.look()
	}
	p.inbox.close(user, false)
	for _, x := range c.sim.SessionsOf(user) {
		c.sim.Release(x.ID)
	}
	if err := p.starts(kyc.Input{}); err != nil {
		return p, fmt.Sprintf("the last START: %v", err)
	}
	return p, within(c.t.Context(), timeout, p.judge)
}

// within asks until there is nothing wrong, and returns what is wrong at the end.
func within(ctx context.Context, d time.Duration, wrong func(context.Context) string) (last string) {
	ctx, stop := context.WithTimeout(ctx, d)
	defer stop()
	last = "never asked"
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		if now := wrong(ctx); ctx.Err() == nil {
			last = now
		}
		if last == "" {
			return ""
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(pause):
		}
	}
}

func (p *resident) look() {
	for _, x := range p.sim.SessionsOf(p.user) {
		if _, ok := p.known[x.ID]; !ok {
			p.known[x.ID] = x
		}
	}
}

// shorten looks some times for a life with one step less that goes wrong as well.
func (c *crowd) shorten(user string, steps []step) []step {
	for round := range 3 {
		wrong := make([]bool, len(steps))
		c.each(len(steps), func(i int) {
			_, what := c.live(fmt.Sprintf("%s.%d.%d", user, round, i), slices.Delete(slices.Clone(steps), i, i+1), timeout)
			wrong[i] = what != ""
		})
		i := slices.Index(wrong, true)
		if i < 0 {
			return steps
		}
		steps = slices.Delete(slices.Clone(steps), i, i+1)
	}
	return steps
}

// each does something n times, livesAtOnce at once.
func (c *crowd) each(n int, do func(int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range livesAtOnce {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

func TestRandomLivesOnTheRealServer(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	first, number := uint64(1), *randomLives
	if *oneLife != 0 {
		first, number = *oneLife, 1
	}
	c := newCrowd(t)
	began, lived := time.Now(), make([]*resident, number)
	var mu sync.Mutex
	bad := 0
	fails := func(seed uint64, what string) {
		t.Logf("life %d: %s: looking for a shorter one", seed, what) // which takes minutes
		mu.Lock()
		defer mu.Unlock()
		if bad++; bad > 3 {
			t.Errorf("life %d: %s", seed, what)
			return
		}
		steps := lifeOf(seed)
		t.Errorf("life %d: %s, after%s\na shorter one:%s", seed, what, lines(steps), lines(c.shorten(fmt.Sprintf("shorter-%d", seed), steps)))
	}
	c.each(int(number), func(i int) {
		var wrong string
		seed := first + uint64(i)
		if lived[i], wrong = c.live(fmt.Sprintf("life-%d", seed), lifeOf(seed), lifeTimeout); wrong != "" {
			fails(seed, wrong)
		}
	})
	if t.Failed() {
		return
	}
	if err := c.sim.Wait(c.within(lifeTimeout)); err != nil {
		t.Fatal("webhooks are still on their way:", err)
	}
	c.each(len(lived), func(i int) { // a life that is over stays as it is
		if wrong := within(t.Context(), lifeTimeout, lived[i].judge); wrong != "" {
			t.Errorf("life %d, later: %s", first+uint64(i), wrong)
		}
	})
	if c.logs.contain("TMPRL1100") {
		t.Error("a run could not be replayed: see the worker's log")
	}
	t.Logf("%d lives in %s, %d sessions, %d webhooks; %v", number, time.Since(began).Round(time.Second), len(c.sim.Sessions()), len(c.sim.Deliveries()), c.happened)
}

func lines(steps []step) string {
	var b strings.Builder
	for _, o := range steps {
		fmt.Fprintf(&b, "\n  %s", o)
	}
	return b.String()
}
