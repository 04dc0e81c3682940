package app_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/internal/app"
)

// A partition hands out at most its share of 61 seconds' worth in any minute, and one call more.
func mostInAMinute(rate float64, partitions int) int {
	return partitions * (int(math.Floor(61*rate/float64(partitions))) + 1)
}

func TestTheSafeRateIsSafeAndNotWasteful(t *testing.T) {
	for limit := 5; limit <= 100_000; limit++ {
		rate := app.SafeRate(limit)
		assert.Positive(t, rate)
		for partitions := 1; partitions <= 4; partitions++ {
			if most := mostInAMinute(rate, partitions); most > limit {
				t.Fatalf("limit %d, %d partitions: up to %d calls in a minute", limit, partitions, most)
			}
		}
	}
	assert.InDelta(t, 4.8525, app.SafeRate(300), 0.0001)
	assert.InDelta(t, 9.7705, app.SafeRate(600), 0.0001)
	assert.Greater(t, 60*app.SafeRate(300)/300, 0.97, "more than 3 % of the limit is left unused")
}
