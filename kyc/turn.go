package kyc

import (
	"context"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// The order in which calls to Didit get their turn, as Temporal's priority keys: the lower goes first, 3 is Temporal's
// default. A look at Didit that only a timer asked for comes last.
const (
	TurnInteractive = 2
	TurnBulk        = 4
	TurnLook        = 5
)

// Key is the place of a start in the order of turns.
func (p Priority) Key() int {
	if p == PriorityBulk {
		return TurnBulk
	}
	return TurnInteractive
}

// Turn is the place of a session that is asked for now in the queue for Didit.
type Turn struct {
	Ahead     int       // calls that go first
	PerSecond float64   // how fast the queue moves; 0 where nothing limits it
	Paused    bool      // an operator has stopped the queue
	At        time.Time // when this was so
}

// ETA is how much of the wait is left at now; false while the queue is paused, since nobody knows then. It is an
// estimate: the server's count of the backlog is some seconds old and some calls off, and a call that has to be tried
// again is not in it.
func (t Turn) ETA(now time.Time) (time.Duration, bool) {
	if t.Paused {
		return 0, false
	}
	if t.PerSecond <= 0 {
		return 0, true
	}
	wait := time.Duration(float64(t.Ahead) / t.PerSecond * float64(time.Second))
	return max(0, wait-now.Sub(t.At)), true
}

// Turn returns the place that a start of priority p would have now. A place is fixed when it is taken, so ask before
// Start, or take the answer for the longest wait.
func (c *Client) Turn(ctx context.Context, p Priority) (Turn, error) {
	d, err := c.describeQueue(ctx, TaskQueueDiditWrite)
	if err != nil {
		return Turn{}, err
	}
	limit := limitOf(TaskQueueDiditWrite, d)
	return Turn{Ahead: ahead(d, p.Key()), PerSecond: limit.PerSecond, Paused: limit.Paused(), At: time.Now()}, nil
}

// ahead counts the calls that wait with a key of at most last.
func ahead(d *workflowservice.DescribeTaskQueueResponse, last int) int {
	n := int64(0)
	for key, stats := range d.GetStatsByPriorityKey() {
		if int(key) <= last {
			n += stats.GetApproximateBacklogCount()
		}
	}
	return int(n)
}
