package cli

import (
	"context"
	"fmt"
	"time"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// etaAfter is how long nobody needs to be told why there is no URL yet.
const etaAfter = time.Second

// startTold is startOne for a person, who is told how long the wait will be.
func (t *tool) startTold(ctx context.Context, v verifications, f startFlags) (kyc.Started, error) {
	turn, unknown := v.QueuePosition(ctx, f.in.Priority) // before the start: now the calls ahead are counted, not those behind
	told, done := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-told.Done():
		case <-t.after(etaAfter):
			if unknown == nil {
				fmt.Fprintln(t.stderr, waitingLine(turn, t.now()))
			}
		}
	}()
	s, err := startOne(ctx, v, f.in, f.timeout)
	done()
	<-stopped
	return s, err
}

func waitingLine(turn ops.QueuePosition, now time.Time) string {
	left, known := turn.ETA(now)
	switch {
	case !known:
		return "waiting: an operator has paused the calls to Didit; `starter setup` shows who"
	case turn.Ahead == 0:
		return "waiting for Didit or for a worker; nobody is ahead"
	}
	return fmt.Sprintf("waiting for a turn under Didit's limit: %d ahead, about %s", turn.Ahead, left.Round(time.Second))
}
