package testbed

import "time"

// Calls are in the order of arrival.
type Calls []Call

// Where returns the calls for which f holds.
func (c Calls) Where(f func(Call) bool) Calls {
	var some Calls
	for _, x := range c {
		if f(x) {
			some = append(some, x)
		}
	}
	return some
}

// Reads are the calls that change nothing.
func (c Calls) Reads() Calls { return c.Where(func(x Call) bool { return x.Read }) }

// Writes are the calls that are no reads.
func (c Calls) Writes() Calls { return c.Where(func(x Call) bool { return !x.Read }) }

// Refused are those answered 429.
func (c Calls) Refused() Calls { return c.Where(func(x Call) bool { return x.Code == 429 }) }

// Made are those answered well.
func (c Calls) Made() Calls { return c.Where(func(x Call) bool { return x.Code/100 == 2 }) }

// Between are those that came from a on and before b.
func (c Calls) Between(a, b time.Time) Calls {
	return c.Where(func(x Call) bool { return !x.At.Before(a) && x.At.Before(b) })
}

// Worst is the most calls in any window of that length.
func (c Calls) Worst(window time.Duration) int {
	worst, first := 0, 0
	for i, x := range c {
		for x.At.Sub(c[first].At) >= window {
			first++
		}
		worst = max(worst, i-first+1)
	}
	return worst
}

// Sliding is the number of calls in the last window, every step from begin to end.
func (c Calls) Sliding(begin, end time.Time, window, step time.Duration) []float64 {
	var y []float64
	first, next := 0, 0
	for t := begin; !t.After(end); t = t.Add(step) {
		for next < len(c) && !c[next].At.After(t) {
			next++
		}
		for first < next && t.Sub(c[first].At) >= window {
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
	took := c[b].At.Sub(c[a].At).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(b-a) / took
}
