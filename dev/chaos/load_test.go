package chaos

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit/diditsim"
)

// retryLadder is Didit's, made short: a kill may outlast it, and then the verification must look for itself.
var retryLadder = []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second}

func TestNothingIsLostWhateverIsKilled(t *testing.T) {
	skip.Long(t)
	alongside(t)
	persons := people(*seed, size(*users, 60, 1000))
	plan := strikes(*seed, len(persons), size(*kills, 2, 20))
	w := start(t, options{reconcileAfter: 2 * time.Second, retries: retryLadder, script: diditsim.Seeded(int64(*seed), diditsim.Odds{
		Drop: 0.02, Duplicate: 0.2, Delay: 0.1, MaxDelay: 2 * time.Second,
	})})
	began := time.Now()
	c := &chaos{env: w, steps: newGauge(), lead: size(0, 20, 150)}
	stop := c.logProgress(len(persons))
	c.unleash(persons, plan)
	r := c.audit(persons)
	stop()
	r.took = time.Since(began).Round(time.Second)
	t.Logf("seed %d\n%s", *seed, r)
	r.require(t, len(persons), len(plan)/3)
}

// chaos is an env, its users, and who kills.
type chaos struct {
	*env
	steps *gauge
	lead  int // how many people are let in ahead of the next kill

	mu          sync.Mutex
	lives       sync.WaitGroup
	revivals    sync.WaitGroup
	temporalUp  chan struct{} // closed while Temporal runs
	temporalHit int
	closed      int
	failures    []error
}

// limit is for the whole of it, far more than it needs.
func (c *chaos) limit() time.Duration {
	if *full {
		return 30 * time.Minute
	}
	return 8 * time.Minute
}

// unleash lets people in and kills in turn, so that every kill hits people on their way, and returns when all people
// have done what they wanted.
func (c *chaos) unleash(persons []person, plan []strike) {
	ctx := c.within(c.limit())
	c.temporalUp = make(chan struct{})
	close(c.temporalUp)
	in := 0
	letIn := func(n int) {
		for ; in < min(n, len(persons)); in++ {
			p := persons[in]
			c.lives.Go(func() {
				if err := c.live(ctx, p, c.steps.add); err != nil {
					c.fail(err)
				}
			})
		}
	}
	for _, s := range plan {
		letIn(s.at/leastSteps + c.lead)
		if err := c.steps.reach(ctx, s.at); err != nil {
			c.fail(err)
			break
		}
		if err := c.hit(ctx, s); err != nil {
			c.fail(err)
			break
		}
	}
	letIn(len(persons))
	c.lives.Wait()
	c.revivals.Wait()
	require.Empty(c.t, c.failures)
}

func (c *chaos) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, err)
}

// hit kills a victim once it works; it comes back by itself, while others may be killed.
func (c *chaos) hit(ctx context.Context, s strike) error {
	switch s.victim {
	case victimWebhook:
		return c.webhook.Kill(ctx)
	case victimWorker:
		return c.worker.Kill(ctx)
	}
	select {
	case <-c.temporalUp:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.server.Kill(); err != nil {
		return err
	}
	c.mu.Lock()
	c.temporalHit++
	c.mu.Unlock()
	up := make(chan struct{})
	c.temporalUp = up
	c.revivals.Go(func() {
		defer close(up)
		think(ctx, s.outage)
		for c.server.Restart(ctx) != nil { // a port that another process took meanwhile becomes free
			if ctx.Err() != nil {
				c.fail(ctx.Err())
				return
			}
		}
	})
	return nil
}

func (c *chaos) temporalKills() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.temporalHit
}

// logProgress logs every few seconds how far it is, until the returned function is called.
func (c *chaos) logProgress(people int) (stop func()) {
	began, done, ended := time.Now(), make(chan struct{}), make(chan struct{})
	ticker := time.NewTicker(5 * time.Second)
	go func() {
		defer close(ended)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			webhook, _ := c.webhook.Counts()
			worker, _ := c.worker.Counts()
			c.mu.Lock()
			temporal, closed := c.temporalHit, c.closed
			c.mu.Unlock()
			c.t.Logf("%4ds  %d people: %d sessions, %d steps, %d verifications seen closed; killed webhook %d, worker %d, temporal %d",
				int(time.Since(began).Seconds()), people, len(c.sim.Sessions()), c.steps.value(), closed, webhook, worker, temporal)
		}
	}()
	return func() { close(done); <-ended }
}
