package receiver

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of the bodies of unauthenticated senders. All of them together may hold this many bytes, or eight of the largest.
const (
	bodiesBudget = 24 << 20
	// leastBody is the smallest charge for a body: a connection costs about as much.
	leastBody = 8 << 10
	// bodyWait is how long a body waits for the room of an evicted one.
	bodyWait = time.Second
)

// errBusy means that there was no room for a body.
var errBusy = errors.New("too many bodies in flight")

// bodies divides room among the bodies in flight. When none is left it evicts the body that has been arriving for the longest
// time: a genuine one takes milliseconds, so many stalled ones evict only each other.
type bodies struct {
	mu       sync.Mutex
	free     int
	arriving *list.List    // of *arrival, the oldest first
	released chan struct{} // closed when room is released
}

// arrival is one body in flight.
type arrival struct {
	of      *bodies
	place   *list.Element // nil once it has arrived or was evicted
	cut     func()        // ends its reading
	evicted bool
	held    int
}

func newBodies(maxBody int64) *bodies {
	return &bodies{free: int(max(bodiesBudget, 8*maxBody)), arriving: list.New(), released: make(chan struct{})}
}

// begin adds a body before it is read. cut must end the reading from another goroutine.
func (b *bodies) begin(cut func()) *arrival {
	a := &arrival{of: b, cut: cut}
	b.mu.Lock()
	defer b.mu.Unlock()
	a.place = b.arriving.PushBack(a)
	return a
}

// grow takes room for a body of the size, if necessary from the oldest bodies, and waits until they release it.
func (a *arrival) grow(ctx context.Context, size int) error {
	n := max(size, leastBody) - a.held
	ctx, cancel := context.WithTimeout(ctx, bodyWait)
	defer cancel()
	for {
		ok, released := a.tryGrow(n)
		if ok {
			return nil
		}
		if a.cutOff() {
			return errBusy
		}
		select {
		case <-released:
		case <-ctx.Done():
			return errBusy
		}
	}
}

// tryGrow takes the bytes, or evicts the oldest body and returns the channel to wait for.
func (a *arrival) tryGrow(n int) (bool, <-chan struct{}) {
	b := a.of
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free >= n && !a.evicted {
		b.free, a.held = b.free-n, a.held+n
		return true, nil
	}
	if oldest := b.arriving.Front(); oldest != nil && oldest != a.place && !a.evicted {
		oldest.Value.(*arrival).evict()
	}
	return false, b.released
}

// evict is called with the lock held.
func (a *arrival) evict() {
	a.of.arriving.Remove(a.place)
	a.place, a.evicted = nil, true
	a.cut()
}

// cutOff reports whether the body was evicted.
func (a *arrival) cutOff() bool {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	return a.evicted
}

// arrived keeps the body's room and protects it from eviction.
func (a *arrival) arrived() {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if a.place != nil {
		a.of.arriving.Remove(a.place)
		a.place = nil
	}
}

// release frees the room.
func (a *arrival) release() {
	a.arrived()
	b := a.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free, a.held = b.free+a.held, 0
	close(b.released)
	b.released = make(chan struct{})
}
