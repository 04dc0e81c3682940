package soak

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTroublesAreDistinguished(t *testing.T) {
	at := func(s, took float64) turnedAway {
		return turnedAway{time.Duration(s * float64(time.Second)), time.Duration(took * float64(time.Second))}
	}
	assert.Empty(t, spans(nil))
	assert.Equal(t, []string{
		"2 sent from 1s to 2.5s, answered after 1.75s to 3.5s", "1 sent from 1m0s to 1m0s, answered after 20ms to 20ms",
	}, spans([]turnedAway{at(2.5, 1.75), at(60, 0.02), at(1, 3.5)}))
}

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
