package diditsim

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"didit-temporal/didit"
)

// Event is a webhook that is about to be delivered, as a WebhookScript sees it.
type Event struct {
	SessionID  string
	VendorData string
	EventID    string
	Type       string // status.updated
	Status     didit.Status
	N          int // which of the session's events it is, from 1; those that were not sent count
	Session    int // which of the sessions with this VendorData it belongs to, from 1, in the order of creation
}

// Send is one delivery of an event. The zero value is sent at once, behind what the same session has in its queue.
// All deliveries of an event have the same bytes, retries included. Didit documents a new timestamp for deliveries that a
// person sends again, and says nothing of its automatic retries: the old one is the harder case for a receiver.
type Send struct {
	// Delay comes before the first attempt and delays no other delivery. The timestamp is that of the first attempt of any
	// of the event's deliveries.
	Delay time.Duration
	// Corrupt makes all three signatures wrong, also those of retries.
	Corrupt bool
	// After is the N of an event of the same session that goes first: this delivery is queued right behind the first
	// of that event's, or when that event is dropped.
	After int
	// Hold waits for Release, and so does an After whose event never comes.
	Hold bool
}

// WebhookScript plans the deliveries of an event; an empty plan drops it for good. It is called once for each event, one
// after the other in the order in which they happen, and must not call the Server.
type WebhookScript func(Event) []Send

// SetWebhookScript changes how events are delivered from now on; nil delivers each once, at once.
func (s *Server) SetWebhookScript(script WebhookScript) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatcher.script = script
}

// DropMask drops the n-th event of each session if bit n-1 of mask is set.
func DropMask(mask uint64) WebhookScript { return masked(mask, nil) }

// CorruptMask signs the n-th event of each session wrongly if bit n-1 of mask is set.
func CorruptMask(mask uint64) WebhookScript { return masked(mask, []Send{{Corrupt: true}}) }

func masked(mask uint64, plan []Send) WebhookScript {
	return func(e Event) []Send {
		if e.N <= 64 && mask>>(e.N-1)&1 == 1 {
			return plan
		}
		return []Send{{}}
	}
}

// Duplicate delivers each event n times more than once.
func Duplicate(n int) WebhookScript {
	plan := make([]Send, 1+max(n, 0))
	return func(Event) []Send { return plan }
}

// Reorder delivers the first events of each session in the order of perm: with 3, 1, 2 the third, then the first, then
// the second. An event waits for those before it in perm; one that is not in perm does not wait.
func Reorder(perm []int) WebhookScript {
	perm = slices.Clone(perm)
	return func(e Event) []Send {
		if i := slices.Index(perm, e.N); i > 0 {
			return []Send{{After: perm[i-1]}}
		}
		return []Send{{}}
	}
}

// Odds are the probabilities, from 0 to 1 each, of the faults of an event.
type Odds struct {
	Drop      float64
	Duplicate float64 // delivered twice
	Corrupt   float64 // all its deliveries have wrong signatures
	Delay     float64 // of each delivery, by up to MaxDelay
	MaxDelay  time.Duration
}

// Seeded draws the faults of each event by the odds. They depend on the seed and on what is the same in each run, the
// event's VendorData, Session and N: the same seed gives the same run.
func Seeded(seed int64, o Odds) WebhookScript {
	return func(e Event) []Send {
		h := fnv.New64a()
		_, _ = h.Write([]byte(e.VendorData + "\x00" + strconv.Itoa(e.Session) + "\x00" + strconv.Itoa(e.N)))
		r := rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
		if r.Float64() < o.Drop {
			return nil
		}
		plan := make([]Send, 1, 2)
		if r.Float64() < o.Duplicate {
			plan = append(plan, Send{})
		}
		corrupt := r.Float64() < o.Corrupt
		for i := range plan {
			plan[i].Corrupt = corrupt
			if r.Float64() < o.Delay && o.MaxDelay > 0 {
				plan[i].Delay = time.Duration(r.Int64N(int64(o.MaxDelay)) + 1)
			}
		}
		return plan
	}
}
