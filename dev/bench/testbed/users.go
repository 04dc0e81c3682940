package testbed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"didit-temporal/dev/hosted"
	"didit-temporal/kyc"
)

// Users are people who sign up, and when each of them got a URL to open.
type Users struct {
	tenant *Tenant

	mu      sync.Mutex
	asked   map[string]time.Time
	served  map[string]time.Time
	urls    map[string]string
	refused map[string]error // those who get no session
	again   int              // repeated requests
	all     sync.WaitGroup
}

// Users is an empty one.
func (t *Tenant) Users() *Users {
	return &Users{
		tenant: t, asked: map[string]time.Time{}, served: map[string]time.Time{}, urls: map[string]string{}, refused: map[string]error{},
	}
}

// signupTimeout is a signup service's: longer than any queue here.
const signupTimeout = time.Hour

// SignUp starts a user as a signup service does: whatever goes wrong on the way to Temporal, it asks again.
func (c *Users) SignUp(ctx context.Context, user string, p kyc.Priority) {
	c.mu.Lock()
	c.asked[user] = time.Now()
	c.mu.Unlock()
	c.all.Go(func() {
		for {
			attempt, cancel := context.WithTimeout(ctx, signupTimeout)
			began, err := c.tenant.Start(attempt, kyc.Input{UserID: user, Priority: p})
			cancel()
			if final := c.note(user, began, err); final || !sleep(ctx, 250*time.Millisecond) {
				return
			}
		}
	})
}

// note reports whether the user need not ask again.
func (c *Users) note(user string, began kyc.Started, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch no := new(kyc.SessionError); {
	case err == nil:
		c.served[user], c.urls[user] = time.Now(), began.Session.URL
		return true
	case errors.As(err, &no):
		c.refused[user] = err
		return true
	}
	c.again++
	return false
}

// Wait returns when all have a URL or was refused, or with the error of ctx.
func (c *Users) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		c.all.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Reach returns when n people have a URL.
func (c *Users) Reach(ctx context.Context, n int) error {
	for c.Served() < n {
		if !sleep(ctx, 50*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Served counts who has a URL.
func (c *Users) Served() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.served)
}

// Again counts the repeated requests.
func (c *Users) Again() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.again
}

// Refused counts those who get no session.
func (c *Users) Refused() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.refused)
}

// URLs are those that people have got so far, by user.
func (c *Users) URLs() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := make(map[string]string, len(c.urls))
	for k, v := range c.urls {
		m[k] = v
	}
	return m
}

// Took is how long each user who has a URL waited for it, the shortest wait first.
func (c *Users) Took() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for user, at := range c.served {
		all = append(all, at.Sub(c.asked[user]))
	}
	slices.Sort(all)
	return all
}

// ServedAt are the times at which URLs came, in order.
func (c *Users) ServedAt() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Time
	for _, at := range c.served {
		all = append(all, at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// Approve lets the people with these URLs pass at Didit, all at once.
func Approve(ctx context.Context, urls []string) error {
	return each(64, urls, func(page string) error { return hosted.Press(ctx, page, "approve") })
}

// Backlog starts verifications and waits for nothing, as a batch job in any language does.
func (t *Tenant) Backlog(ctx context.Context, users []string, p kyc.Priority) error {
	err := each(32, users, func(user string) error {
		return retry(ctx, func(ctx context.Context) error {
			_, err := t.Temporal().ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: kyc.WorkflowID(user), TaskQueue: kyc.TaskQueue},
				kyc.WorkflowVerification, kyc.Input{UserID: user, Priority: p})
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("start the backlog: %w", err)
	}
	return nil
}

// each does all, some at a time, and returns the first error after the last one has ended.
func each(atOnce int, all []string, do func(string) error) error {
	var doing sync.WaitGroup
	errs := make(chan error, len(all))
	turns := make(chan struct{}, atOnce)
	for _, one := range all {
		doing.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			errs <- do(one)
		})
	}
	doing.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
