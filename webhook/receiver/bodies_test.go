package receiver

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is room for two bodies of half a megabyte.
func small() *bodies {
	b := newBodies(0)
	b.free = 1 << 20
	return b
}

func TestTheOldestBodyMakesRoomForANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, cut := small(), make(chan string, 9)
		stalled := func(name string) *arrival {
			a := b.begin(func() { cut <- name })
			require.NoError(t, a.grow(t.Context(), 512<<10))
			return a
		}
		first, second := stalled("first"), stalled("second")
		go func() { // what the handler does when its reading ends
			<-cut
			first.release()
		}()
		third := stalled("third")
		assert.True(t, first.cutOff())
		assert.False(t, second.cutOff())
		second.release()
		third.release()
		assert.Equal(t, 1<<20, b.free)
		assert.Zero(t, b.arriving.Len())
	})
}

// A body that has arrived is being checked, which is soon over: it is waited for, and not for long.
func TestABodyThatHasArrivedIsNotCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := small()
		a := b.begin(func() { t.Error("cut off") })
		require.NoError(t, a.grow(t.Context(), 1<<20))
		a.arrived()
		began := time.Now()
		late := b.begin(func() { t.Error("cut off by itself") })
		require.ErrorIs(t, late.grow(t.Context(), 8<<10), errBusy)
		assert.Equal(t, bodyWait, time.Since(began))

		time.AfterFunc(bodyWait/2, a.release)
		require.NoError(t, late.grow(t.Context(), 8<<10))
		late.release()
		assert.Equal(t, 1<<20, b.free)
	})
}

func TestABodyIsChargedForWhatItHolds(t *testing.T) {
	b := small()
	a := b.begin(func() {})
	for _, size := range []int{1, leastBody, 64 << 10, 128 << 10} {
		require.NoError(t, a.grow(t.Context(), size))
		assert.Equal(t, max(size, leastBody), a.held)
		assert.Equal(t, 1<<20-a.held, b.free)
	}
	a.release()
	a.release()
	assert.Equal(t, 1<<20, b.free)
}

// Many at once never hold more than there is.
func TestBodiesNeverHoldMoreThanTheBudget(t *testing.T) {
	b := small()
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			cut := make(chan struct{})
			a := b.begin(sync.OnceFunc(func() { close(cut) }))
			defer a.release()
			for size := leastBody; size <= 512<<10; size *= 2 {
				if a.grow(t.Context(), size) != nil {
					return
				}
				b.mu.Lock()
				free := b.free
				b.mu.Unlock()
				if free < 0 {
					t.Errorf("%d bytes too many", -free)
				}
			}
			a.arrived()
		})
	}
	all.Wait()
	assert.Equal(t, 1<<20, b.free)
	assert.Zero(t, b.arriving.Len())
}
