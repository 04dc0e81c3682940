package activities

import "time"

// Longer is for tests.
var Longer = longer

// SetTimeout is for tests.
func (r *Receiver) SetTimeout(d time.Duration) { r.timeout = d }
