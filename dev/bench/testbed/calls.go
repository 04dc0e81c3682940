package testbed

import "time"

// Calls are the times of calls, in order.
type Calls []time.Time

// Sliding is the number of calls in the last window, every step from begin until it has fallen to nothing.
func (c Calls) Sliding(begin time.Time, window, step time.Duration) []float64 {
	var y []float64
	first, next := 0, 0
	for t := begin; len(c) > 0 && !t.After(c[len(c)-1].Add(window+step)); t = t.Add(step) {
		for next < len(c) && !c[next].After(t) {
			next++
		}
		for first < next && t.Sub(c[first]) >= window {
			first++
		}
		y = append(y, float64(next-first))
	}
	return y
}

// Rate is the rate per second between the calls at two fractions of all of them, such as 0.05 and 0.95: how it begins and
// ends is left out.
func (c Calls) Rate(from, to float64) float64 {
	if len(c) < 2 {
		return 0
	}
	a, b := int(from*float64(len(c)-1)), int(to*float64(len(c)-1))
	took := c[b].Sub(c[a]).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(b-a) / took
}
