package testbed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"didit-temporal/dev/hosted"
	"didit-temporal/kyc"
)

// Users are people who sign up, and when each of them got a URL to open.
type Users struct {
	tenant *Tenant
	all    sync.WaitGroup

	mu   sync.Mutex
	urls map[string]string // by user
	took []float64         // seconds until each of the URLs
	last time.Time         // of the URLs
}

// Users is an empty one.
func (t *Tenant) Users() *Users { return &Users{tenant: t, urls: map[string]string{}} }

// SignUp starts a user as a signup service does: whatever goes wrong on the way to Temporal, it asks again.
func (c *Users) SignUp(ctx context.Context, user string, p kyc.Priority) {
	asked := time.Now()
	c.all.Go(func() {
		for {
			began, err := c.tenant.Start(ctx, kyc.Input{UserID: user, Priority: p})
			if err == nil {
				c.note(user, began.Session.URL, asked)
				return
			}
			if no := new(kyc.SessionError); errors.As(err, &no) || Sleep(ctx, 250*time.Millisecond) != nil {
				return
			}
		}
	})
}

func (c *Users) note(user, url string, asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	c.urls[user], c.took = url, append(c.took, c.last.Sub(asked).Seconds())
}

// Wait returns when all have a URL or were refused, or their contexts have ended.
func (c *Users) Wait() { c.all.Wait() }

// Reach returns when n people have a URL.
func (c *Users) Reach(ctx context.Context, n int) error {
	for c.Served() < n {
		if err := Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// Served counts who has a URL.
func (c *Users) Served() int { return len(c.URLs()) }

// URLs are those that people have got so far, by user.
func (c *Users) URLs() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.urls)
}

// Took is how many seconds each user who has a URL waited for it.
func (c *Users) Took() []float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.took)
}

// Last is when the last URL came so far.
func (c *Users) Last() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
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

// Ended returns when the verifications of all these users have an outcome.
func (t *Tenant) Ended(ctx context.Context, users []string) error {
	return each(64, users, func(user string) error {
		return retry(ctx, func(ctx context.Context) error {
			_, err := t.Wait(ctx, user)
			return err
		})
	})
}

// each does all, some at a time, and returns the first error after the last one has ended.
func each(atOnce int, all []string, do func(string) error) error {
	var doing errgroup.Group
	doing.SetLimit(atOnce)
	for _, one := range all {
		doing.Go(func() error { return do(one) })
	}
	return doing.Wait()
}
