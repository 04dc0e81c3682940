package testbed

import (
	"math"
	"time"

	"didit-temporal/didit/diditsim"
)

// Pace is Didit's limits, or a small model of them: the workers' settings, and the window in which Didit counts.
type Pace struct {
	Writes, Reads int // a minute
	Window        time.Duration
}

// Didit is what Didit documents.
var Didit = Pace{Writes: 300, Reads: 600, Window: time.Minute}

// Lifted is so far above what a machine does that no queue holds anything back.
var Lifted = Pace{Writes: 100_000, Reads: 100_000, Window: time.Minute}

// Model is the same thing faster: in a short run the window slides often.
var Model = Pace{Writes: 1200, Reads: 2400, Window: 5 * time.Second}

// Rate is the rate of calls per second that the queue is held at: a minute's limit, less a second's burst and four calls.
func Rate(perMinute int) float64 { return float64(perMinute-4) / 61 }

// Allowed is how many calls Didit allows in a window. A queue's burst of one second, and the time that the four calls are
// for, weigh more in a short window; so the limit of a model is what the arithmetic of the true one gives for its window.
func (p Pace) Allowed(perMinute int) int {
	if p.Window == time.Minute {
		return perMinute
	}
	spare := 4 / Rate(Didit.Writes)
	return int(math.Ceil(Rate(perMinute) * (p.Window.Seconds() + 1 + spare)))
}

func (p Pace) limits() diditsim.Limits {
	return diditsim.Limits{Reads: p.Allowed(p.Reads), Writes: p.Allowed(p.Writes), Creates: 2 * p.Allowed(p.Writes), Window: p.Window}
}
