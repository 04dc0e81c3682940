package soak

import (
	"fmt"
	"slices"
	"time"
)

// quiet is the time without a refusal between two troubles.
const quiet = 3 * time.Second

// spans lists when events were turned away, how many, and how long each had waited: a server that stalls turns away all
// of some seconds, one that is too slow a few all the time.
func spans(turned []turnedAway) (lines []string) {
	slices.SortFunc(turned, func(a, b turnedAway) int { return int(a.at - b.at) })
	for from := 0; from < len(turned); {
		to := from + 1
		for to < len(turned) && turned[to].at-turned[to-1].at < quiet {
			to++
		}
		some := turned[from:to]
		took := func(t turnedAway) time.Duration { return t.took.Round(10 * time.Millisecond) }
		least := slices.MinFunc(some, func(a, b turnedAway) int { return int(a.took - b.took) })
		longest := slices.MaxFunc(some, func(a, b turnedAway) int { return int(a.took - b.took) })
		lines = append(lines, fmt.Sprintf("%d sent from %v to %v, answered after %v to %v", len(some),
			some[0].at.Round(100*time.Millisecond), some[len(some)-1].at.Round(100*time.Millisecond), took(least), took(longest)))
		from = to
	}
	return lines
}
