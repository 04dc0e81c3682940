package soak

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGrowthIsSeen(t *testing.T) {
	var grows, stays []sample
	for i := range 120 {
		at, noise := time.Duration(i)*10*time.Second, float64(i%7)-3
		grows = append(grows, sample{at: at, rss: 40 + 1.5*at.Minutes() + noise, goroutines: 20 + 2*at.Minutes()})
		stays = append(stays, sample{at: at, rss: 40 + noise, goroutines: 20 + noise})
	}
	assert.InDelta(t, 1.5, slope(grows, rss), 0.1)
	assert.Greater(t, slope(grows, routines), mostGoroutines)
	assert.InDelta(t, 0, slope(stays, rss), 0.1)
	assert.Less(t, slope(stays, routines), mostGoroutines)
}
