package metrics

import (
	"maps"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// Publish adds what the process is and how it is set: two gauges of the value 1 that say it in their labels.
func (m *Metrics) Publish(settings map[string]string) {
	version, revision := build()
	settings = maps.Clone(settings)
	settings["version"] = version
	if revision != unknown {
		settings["version"] = revision
	}
	m.registry.MustRegister(constant(nameBuild, map[string]string{"version": version, "revision": revision, "go": runtime.Version()}),
		constant(nameSettings, settings))
}

func constant(name string, labels map[string]string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help[name], ConstLabels: labels}, func() float64 { return 1 })
}

const unknown = "unknown"

// build is what Go has written into the program.
func build() (version, revision string) {
	version, revision = unknown, unknown
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, revision
	}
	if info.Main.Version != "" {
		version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return version, revision
}
