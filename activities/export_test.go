package activities

import "time"

// Longer is for tests.
var Longer = longer

// SetTimeout is for tests.
func (s *CallbackSender) SetTimeout(d time.Duration) { s.timeout = d }

// Pace is for tests.
type Pace = pace

// DelayOf is for tests.
func (p *Pace) DelayOf(started, now time.Time) (wait time.Duration, late bool) {
	return p.delayOf(started, now)
}
