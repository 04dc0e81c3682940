package testbed

import (
	"context"
	"errors"
	"time"
)

// sleep reports whether ctx is still alive after d.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// Sleep waits for d, or returns the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	if !sleep(ctx, d) {
		return context.Cause(ctx)
	}
	return nil
}

// Ended returns when the verifications of all these users have an outcome.
func (t *Tenant) Ended(ctx context.Context, users []string) error {
	for _, user := range users {
		for {
			attempt, cancel := context.WithTimeout(ctx, 15*time.Second)
			_, err := t.Wait(attempt, user)
			cancel()
			if err == nil {
				break
			}
			if !sleep(ctx, 100*time.Millisecond) {
				return errors.Join(context.Cause(ctx), err)
			}
		}
	}
	return nil
}
