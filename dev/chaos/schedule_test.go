package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"didit-temporal/dev/hosted"
	"didit-temporal/didit"
)

// The victims.
const (
	victimWebhook  = "webhook"
	victimWorker   = "worker"
	victimTemporal = "temporal"
)

// strike is one kill. Its moment is a number of steps that people have taken, not a time: so it hits the same load on
// any machine, and one seed makes one schedule.
type strike struct {
	victim string
	at     int           // steps
	outage time.Duration // of Temporal, which is not restarted at once
}

// leastSteps is what each person does at least: sign up, open the page, finish there.
const leastSteps = 3

// strikes draws a schedule that kills each victim n times.
func strikes(seed uint64, people, n int) []strike {
	r := rand.New(rand.NewPCG(seed, 1))
	var all []strike
	for _, victim := range []string{victimWebhook, victimWorker, victimTemporal} {
		for range n {
			all = append(all, strike{
				victim: victim, at: 1 + r.IntN(leastSteps*people), outage: time.Duration(r.IntN(2000)) * time.Millisecond,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b strike) int { return a.at - b.at })
	return all
}

// person is a user who signs up, and what becomes of it at Didit.
type person struct {
	id       string
	thinks   [leastSteps]time.Duration // before the page, before the end of it, and the reviewer
	reviewed bool
	verdict  didit.Status
}

// people draws n persons. Half a minute's thought in full form keeps many sessions open at a time.
func people(seed uint64, n int) []person {
	longest := time.Second
	if *full {
		longest = 4 * time.Second
	}
	r := rand.New(rand.NewPCG(seed, 2))
	all := make([]person, n)
	for i := range all {
		p := person{id: fmt.Sprintf("u%04d", i), reviewed: r.IntN(10) < 3, verdict: didit.StatusApproved}
		if r.IntN(3) == 0 {
			p.verdict = didit.StatusDeclined
		}
		for j := range p.thinks {
			p.thinks[j] = time.Duration(r.Int64N(int64(longest)))
		}
		all[i] = p
	}
	return all
}

var actions = map[didit.Status]string{didit.StatusApproved: "approve", didit.StatusDeclined: "decline"}

// live is what a person does. Every step is reported.
func (w *env) live(ctx context.Context, p person, step func()) error {
	began, err := w.signUp(ctx, p.id)
	if err != nil {
		return err
	}
	step()
	think(ctx, p.thinks[0])
	if err := hosted.Open(ctx, began.Session.URL); err != nil {
		return err
	}
	step()
	think(ctx, p.thinks[1])
	action := actions[p.verdict]
	if p.reviewed {
		action = "review"
	}
	if err := hosted.Press(ctx, began.Session.URL, action); err != nil {
		return err
	}
	step()
	if !p.reviewed {
		return nil
	}
	think(ctx, p.thinks[2])
	defer step()
	return w.sim.SetStatus(began.Session.SessionID, p.verdict)
}

// think is a person's own pace, not a wait for anything.
func think(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// gauge is a number that can be waited for.
type gauge struct {
	mu      sync.Mutex
	n       int
	changed chan struct{}
}

func newGauge() *gauge { return &gauge{changed: make(chan struct{})} }

func (g *gauge) add() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gauge) value() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

func (g *gauge) reach(ctx context.Context, n int) error {
	for {
		g.mu.Lock()
		now, changed := g.n, g.changed
		g.mu.Unlock()
		if now >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d steps: %w", now, n, ctx.Err())
		}
	}
}
