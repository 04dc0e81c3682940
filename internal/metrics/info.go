package metrics

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"didit-temporal/internal/version"
)

// Publish adds the build and the settings of the process, as the labels of two gauges of the value 1.
func (m *Metrics) Publish(settings map[string]string) {
	build := version.Get()
	settings = maps.Clone(settings)
	settings["version"] = build.Version
	if build.Revision != version.Unknown {
		settings["version"] = build.Revision
	}
	m.registry.MustRegister(constant(nameBuild, map[string]string{"version": build.Version, "revision": build.Revision, "go": build.Go}),
		constant(nameSettings, settings))
}

func constant(name string, labels map[string]string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help[name], ConstLabels: labels}, func() float64 { return 1 })
}
