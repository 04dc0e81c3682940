package workflows

import "time"

// soon is how long after an event that implies another one Didit's decision is looked at, if the other does not come:
// a little more than the 310 s over which Didit repeats a webhook (docs.didit.me/integration/webhooks).
const soon = 6 * time.Minute

// schedule says when to look at Didit although no webhook came. Its intervals double up to a longest one.
type schedule struct {
	first, longest time.Duration
	interval       time.Duration
	next           time.Time // zero before the session
}

// restart looks after the first interval: the user has just been asked to act. An interval that has grown stays so, or a
// user who is asked again for months would fill the history.
func (s *schedule) restart(now time.Time) {
	if s.interval == 0 {
		s.interval = s.first
	}
	s.next = now.Add(s.first)
}

// hurry looks soon, if the schedule would look later.
func (s *schedule) hurry(now time.Time) {
	if at := now.Add(soon); s.next.After(at) {
		s.next = at
	}
}

// looked notes a look at Didit. Only a look that was due makes the next interval longer.
func (s *schedule) looked(now time.Time) {
	if s.due(now) {
		s.interval = min(2*s.interval, s.longest)
	}
	s.next = now.Add(s.interval)
}

func (s *schedule) due(now time.Time) bool { return !s.next.IsZero() && !now.Before(s.next) }
