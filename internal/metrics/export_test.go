package metrics

import (
	"maps"
	"slices"
)

// Names lists the metrics that are ours, as Prometheus sees them.
func Names() []string { return slices.Sorted(maps.Keys(help)) }
