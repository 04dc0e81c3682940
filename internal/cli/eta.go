package cli

import (
	"context"
	"fmt"
	"time"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// etaAfter is how long the URL may take before the estimate is printed.
const etaAfter = time.Second

// startWithEstimate is startOne, and prints the estimated wait.
func (t *tool) startWithEstimate(ctx context.Context, v verifications, f startFlags) (kyc.Started, error) {
	position, unknown := v.QueuePosition(ctx, f.in.Priority) // before the start: now the calls ahead are counted, not those behind
	waiting, done := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-waiting.Done():
		case <-t.after(etaAfter):
			if unknown == nil {
				fmt.Fprintln(t.stderr, waitingLine(position, t.now()))
			}
		}
	}()
	s, err := startOne(ctx, v, f.in, f.timeout)
	done()
	<-stopped
	return s, err
}

func waitingLine(position ops.QueuePosition, now time.Time) string {
	left, known := position.ETA(now)
	switch {
	case !known:
		return "waiting: an operator has paused the calls to Didit; `starter setup` shows who"
	case position.Ahead == 0:
		return "waiting for Didit or for a worker; no user is ahead"
	}
	return fmt.Sprintf("waiting for Didit's rate limit: %d ahead, about %s", position.Ahead, left.Round(time.Second))
}
