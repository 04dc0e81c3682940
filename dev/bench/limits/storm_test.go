package limits

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/dev/bench/testbed"
)

func TestAWorkerDuringAStorm(t *testing.T) {
	zero := time.Now()
	// call arrives after so many seconds and is answered 10 ms later.
	call := func(at float64, code int) testbed.Call {
		came := zero.Add(time.Duration(at * float64(time.Second)))
		c := testbed.Call{At: came, Answered: came.Add(10 * time.Millisecond), Code: code}
		if code == 429 {
			c.RetryAfter = 20 * time.Second
		}
		return c
	}
	for name, tc := range map[string]struct {
		calls           testbed.Calls
		refused, flying int
		early           int
		probes          []int
	}{
		"no storm":                            {testbed.Calls{call(0, 201), call(1, 201)}, 0, 0, 0, nil},
		"holds back, asks once, goes on":      {testbed.Calls{call(0, 201), call(1, 429), call(21.5, 201), call(21.6, 201)}, 1, 1, 0, []int{1}},
		"two were under way":                  {testbed.Calls{call(1, 429), call(1.1, 429), call(21.5, 201)}, 2, 2, 0, []int{1}},
		"asks once in each period":            {testbed.Calls{call(1, 429), call(21.5, 429), call(42, 429), call(63, 201)}, 3, 1, 0, []int{1, 1, 1}},
		"calls while it was told to wait":     {testbed.Calls{call(1, 429), call(5, 429), call(30, 201)}, 2, 1, 1, []int{1}},
		"sends two when the wait is over":     {testbed.Calls{call(1, 429), call(21.5, 429), call(21.6, 429), call(43, 201)}, 3, 1, 0, []int{2, 1}},
		"is let in during its wait: too soon": {testbed.Calls{call(1, 429), call(5, 201), call(30, 201)}, 1, 1, 1, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(tc.calls)
			assert.Equal(t, tc.refused, w.refused, "429s")
			assert.Equal(t, tc.flying, w.flying, "under way")
			assert.Equal(t, tc.early, w.early, "during Retry-After")
			assert.Equal(t, tc.probes, w.probes, "probes")
		})
	}
}

func TestFullRateBeginsWhereTheCallsAreDense(t *testing.T) {
	zero := time.Now()
	var made testbed.Calls
	for i := range 10 { // one a second, then ten a second
		made = append(made, testbed.Call{At: zero.Add(time.Duration(i) * time.Second)})
	}
	for i := range 200 {
		made = append(made, testbed.Call{At: zero.Add(10*time.Second + time.Duration(i)*100*time.Millisecond)})
	}
	at := atFullRate(made, zero, 10).Sub(zero)
	assert.InDelta(t, 9, at.Seconds(), 1.1)
}
