package diditsim

import (
	"sync/atomic"
	"time"
)

// clock is Didit's, which may be wrong.
type clock struct {
	base   func() time.Time
	offset atomic.Int64
}

func (c *clock) now() time.Time { return c.base().Add(time.Duration(c.offset.Load())) }

// SetClockOffset makes Didit's clock wrong by d from now on: the times of new sessions, of changes of status, and of
// webhooks, with their signatures; and for Limits, time passes if the clock goes ahead. What has its time already keeps
// it, retries included. 0 sets the clock right.
func (s *Server) SetClockOffset(d time.Duration) { s.clock.offset.Store(int64(d)) }
