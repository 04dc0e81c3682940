package testbed

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func at(zero time.Time, seconds ...float64) Calls {
	var c Calls
	for _, s := range seconds {
		c = append(c, Call{At: zero.Add(time.Duration(s * float64(time.Second))), Code: 201})
	}
	return c
}

func TestTheWorstWindowSlides(t *testing.T) {
	zero := time.Now()
	assert.Zero(t, Calls{}.Worst(time.Minute))
	assert.Equal(t, 2, at(zero, 0, 59.9).Worst(time.Minute))
	assert.Equal(t, 1, at(zero, 0, 60).Worst(time.Minute), "a call has left when it is a window old")
	assert.Equal(t, 4, at(zero, 0, 50, 55, 61, 100).Worst(time.Minute), "across the minute")
}

func TestTheWorstWindowIsTheHighestPointOfTheCurve(t *testing.T) {
	draw, zero := rand.New(rand.NewPCG(1, 1)), time.Now()
	var calls Calls
	for s := 0.0; s < 300; s += draw.ExpFloat64() {
		calls = append(calls, at(zero, s)...)
	}
	worst := 0
	for _, y := range calls.Sliding(zero, zero.Add(6*time.Minute), time.Minute, 10*time.Millisecond) {
		worst = max(worst, int(y))
	}
	assert.Equal(t, calls.Worst(time.Minute), worst, "the curve's highest point")
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
