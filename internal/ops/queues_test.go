package ops_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/internal/ops"
)

func TestETA(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		position ops.QueuePosition
		after    time.Duration
		want     time.Duration
		known    bool
	}{
		"nobody ahead":                   {ops.QueuePosition{PerSecond: 5}, 0, 0, true},
		"a thousand ahead":               {ops.QueuePosition{Ahead: 1000, PerSecond: 5}, 0, 200 * time.Second, true},
		"a minute later":                 {ops.QueuePosition{Ahead: 1000, PerSecond: 5}, time.Minute, 140 * time.Second, true},
		"later than it should have been": {ops.QueuePosition{Ahead: 10, PerSecond: 5}, time.Minute, 0, true},
		"nothing limits the queue":       {ops.QueuePosition{Ahead: 1000}, 0, 0, true},
		"a pause":                        {ops.QueuePosition{Ahead: 1, Paused: true}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			tc.position.At = at
			left, known := tc.position.ETA(at.Add(tc.after))
			assert.Equal(t, tc.want, left)
			assert.Equal(t, tc.known, known)
		})
	}
}
