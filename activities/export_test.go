package activities

import "time"

// Longer is for tests.
var Longer = longer

// SetTimeout is for tests.
func (r *CallbackSender) SetTimeout(d time.Duration) { r.timeout = d }

// Pace is for tests.
type Pace = pace

// Turn is for tests.
func (p *Pace) Turn(started, now time.Time) (wait time.Duration, late bool) {
	return p.turn(started, now)
}
