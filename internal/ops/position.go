package ops

import (
	"context"
	"time"

	"didit-temporal/kyc"
)

// QueuePosition is where a call that is made now enters the queue for Didit.
type QueuePosition struct {
	Ahead     int       // calls that go first
	PerSecond float64   // how fast the queue moves; 0 where nothing limits it
	Paused    bool      // an operator has stopped the queue
	At        time.Time // when this was so
}

// ETA estimates how much of the wait is left at now; false while the queue is paused. The server's count of the backlog is
// some seconds old and some calls off, and a call that has to be retried is not in it.
func (p QueuePosition) ETA(now time.Time) (time.Duration, bool) {
	if p.Paused {
		return 0, false
	}
	if p.PerSecond <= 0 {
		return 0, true
	}
	wait := time.Duration(float64(p.Ahead) / p.PerSecond * float64(time.Second))
	return max(0, wait-now.Sub(p.At)), true
}

// Position is where a call with the priority key enters the queue.
func (s QueueStats) Position(key int) QueuePosition {
	p := QueuePosition{PerSecond: s.Limit.PerSecond, Paused: s.Limit.Paused(), At: time.Now()}
	for k, n := range s.Backlog {
		if k <= key {
			p.Ahead += n
		}
	}
	return p
}

// QueuePosition returns where a start of priority p would enter the queue now. A position is fixed when the call enters,
// so ask before Start, or take the answer for the longest wait.
func (c *Client) QueuePosition(ctx context.Context, p kyc.Priority) (QueuePosition, error) {
	s, err := c.QueueStats(ctx, kyc.TaskQueueDiditWrite)
	if err != nil {
		return QueuePosition{}, err
	}
	return s.Position(p.Key()), nil
}
