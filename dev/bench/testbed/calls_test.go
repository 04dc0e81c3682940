package testbed

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func at(zero time.Time, seconds ...float64) (c Calls) {
	for _, s := range seconds {
		c = append(c, zero.Add(time.Duration(s*float64(time.Second))))
	}
	return c
}

func TestTheWindowSlides(t *testing.T) {
	zero := time.Now()
	assert.Empty(t, Calls{}.Sliding(zero, time.Minute, 100*time.Millisecond))
	most := func(seconds ...float64) float64 {
		return slices.Max(at(zero, seconds...).Sliding(zero, time.Minute, 100*time.Millisecond))
	}
	assert.InDelta(t, 2, most(0, 59.9), 0)
	assert.InDelta(t, 1, most(0, 60), 0, "a call has left when it is a window old")
	assert.InDelta(t, 4, most(0, 50, 55, 61, 100), 0, "across the minute")
	y := at(zero, 0).Sliding(zero, time.Minute, time.Second)
	assert.InDelta(t, 0, y[len(y)-1], 0, "until it has fallen to nothing")
}

func TestTheRateLeavesOutHowItBeginsAndEnds(t *testing.T) {
	zero := time.Now()
	calls := at(zero, 0)
	for i := range 99 {
		calls = append(calls, at(zero, 100+float64(i))...)
	}
	assert.InDelta(t, 1, calls.Rate(0.05, 0.95), 0.001)
	assert.Zero(t, calls[:1].Rate(0.05, 0.95))
}

func TestAModelAllowsWhatTheArithmeticOfTheTrueLimitAllows(t *testing.T) {
	assert.Equal(t, 300, Didit.Allowed(Didit.Writes))
	same := Pace{Writes: 300, Reads: 600, Window: time.Minute + time.Nanosecond}
	assert.InDelta(t, 300, same.Allowed(300), 1)
}
