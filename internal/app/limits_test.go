package app_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/internal/app"
)

// A partition hands out at most its share of 61 seconds' worth in any minute, and one call more. Workers use them up
// to 0.3 seconds closer together.
func mostInAMinute(rate float64, partitions int) int {
	return partitions * (int(math.Floor(61.3*rate/float64(partitions))) + 1)
}

func TestTheSafeRateIsSafeAndNotWasteful(t *testing.T) {
	for limit := 5; limit <= 100_000; limit++ {
		for partitions := 1; partitions <= 4; partitions++ {
			rate := app.SafeRate(limit, partitions)
			if rate <= 0 {
				t.Fatalf("limit %d, %d partitions: a rate of %f", limit, partitions, rate)
			}
			if most := mostInAMinute(rate, partitions); most > limit {
				t.Fatalf("limit %d, %d partitions: up to %d calls in a minute", limit, partitions, most)
			}
		}
	}
	assert.InDelta(t, 4.8226, app.SafeRate(300, 1), 0.0001)
	assert.InDelta(t, 9.6613, app.SafeRate(600, 1), 0.0001)
	assert.InDelta(t, 4.6178, app.SafeRate(300, 4), 0.0001)
	assert.Greater(t, 60*app.SafeRate(300, 1)/300, 0.964, "more than 4 % of the limit is left unused")
	assert.Greater(t, 60*app.SafeRate(300, 4)/300, 0.92)
}

func TestAQueueHasThePollersThatItsRateTakes(t *testing.T) {
	for _, tc := range []struct{ limit, partitions, want int }{
		{5, 1, 2}, {300, 1, 2}, {600, 1, 2}, {600, 4, 8}, {3000, 1, 5}, {3000, 4, 8}, {100_000, 1, 16}, {100_000, 4, 64},
	} {
		assert.Equal(t, tc.want, app.Pollers(app.SafeRate(tc.limit, tc.partitions), tc.partitions), "%d a minute, %d partitions", tc.limit, tc.partitions)
	}
}
