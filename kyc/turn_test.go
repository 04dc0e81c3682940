package kyc_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/kyc"
)

func TestETA(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		turn  kyc.Turn
		after time.Duration
		want  time.Duration
		known bool
	}{
		"nobody ahead":                   {kyc.Turn{PerSecond: 5}, 0, 0, true},
		"a thousand ahead":               {kyc.Turn{Ahead: 1000, PerSecond: 5}, 0, 200 * time.Second, true},
		"a minute later":                 {kyc.Turn{Ahead: 1000, PerSecond: 5}, time.Minute, 140 * time.Second, true},
		"later than it should have been": {kyc.Turn{Ahead: 10, PerSecond: 5}, time.Minute, 0, true},
		"nothing limits the queue":       {kyc.Turn{Ahead: 1000}, 0, 0, true},
		"a pause":                        {kyc.Turn{Ahead: 1, Paused: true}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			tc.turn.At = at
			left, known := tc.turn.ETA(at.Add(tc.after))
			assert.Equal(t, tc.want, left)
			assert.Equal(t, tc.known, known)
		})
	}
}

func TestABatchWaitsBehindPeople(t *testing.T) {
	assert.Less(t, kyc.PriorityInteractive.Key(), kyc.PriorityBulk.Key())
	assert.Equal(t, kyc.PriorityInteractive.Key(), kyc.Priority("").Key())
	assert.Less(t, kyc.PriorityBulk.Key(), kyc.TurnLook)
}
