// Package ratio compares two things that were measured in turns, so that what disturbs the machine disturbs both.
package ratio

import (
	"math"
	"slices"
)

// Enough is the number of pairs from which on a ratio is judged.
const Enough = 20

// Pairs are measurements of ours and of theirs, each pair taken one right after the other.
type Pairs struct {
	ours, theirs []float64
}

// Add adds a pair.
func (p *Pairs) Add(ours, theirs float64) {
	p.ours, p.theirs = append(p.ours, ours), append(p.theirs, theirs)
}

// Ours is the median of our measurements, Theirs of the others.
func (p *Pairs) Ours() float64 { return Median(p.ours) }

// Theirs is the median of the others' measurements.
func (p *Pairs) Theirs() float64 { return Median(p.theirs) }

// Ratio is the median of the pairs' ratios, with its 95 % interval by the sign test, which supposes nothing about how the
// measurements are spread. The interval of fewer than six pairs is from the least to the greatest.
type Ratio struct {
	Median float64 `json:"ratio"`
	Low    float64 `json:"low"`  // of the 95 % interval
	High   float64 `json:"high"` // of the 95 % interval
	Pairs  int     `json:"pairs"`
}

// Ratio compares ours with theirs.
func (p *Pairs) Ratio() Ratio {
	var all []float64
	for i := range p.ours {
		if p.theirs[i] > 0 {
			all = append(all, p.ours[i]/p.theirs[i])
		}
	}
	if len(all) == 0 {
		return Ratio{Median: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	slices.Sort(all)
	k := outside(len(all))
	return Ratio{Median: Median(all), Low: all[k], High: all[len(all)-1-k], Pairs: len(all)}
}

// outside is how many of n sorted values may be left out at each end so that the rest holds the median with at least
// 95 %: as many heads as that, or fewer, come up in n throws of a coin with at most 2.5 %.
func outside(n int) int {
	sum, one := 0.0, math.Pow(0.5, float64(n)) // one: the probability of exactly k heads
	for k := range n / 2 {
		if sum += one; sum > 0.025 {
			return max(0, k-1)
		}
		one *= float64(n-k) / float64(k+1)
	}
	return max(0, n/2-1)
}

// Median of the values; NaN if there are none.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile is the value below which a part q of the values lies, between the two nearest ones.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
