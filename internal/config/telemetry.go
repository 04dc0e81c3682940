package config

import (
	"net"
	"strconv"
	"strings"
)

// Telemetry says which metrics and traces a process offers. The zero value offers none.
type Telemetry struct {
	MetricsAddr string // where metrics are served; empty: nowhere
	Tracing     bool
	Traces      Traces
}

// Off switches metrics off.
const Off = "off"

// Each process serves its metrics on a port of its own, so that all of them can run on one machine.
const (
	metricsOfWorker  = 0
	metricsOfWebhook = 1
	metricsOfStarter = 2
	metricsOfCodec   = 3
)

// telemetry reads METRICS_ADDR, whose default is that of the table plus the number of the process, and where traces go.
func (e *env) telemetry(process int) Telemetry {
	o := Telemetry{MetricsAddr: e.metricsAddr(process)}
	o.Traces, o.Tracing = e.traces()
	return o
}

func (e *env) metricsAddr(process int) string {
	if strings.TrimSpace(e.get("METRICS_ADDR")) == "" {
		return MetricsAddr(process)
	}
	if strings.EqualFold(e.text("METRICS_ADDR"), Off) {
		return ""
	}
	return e.address("METRICS_ADDR")
}

// MetricsAddr is the default METRICS_ADDR of a process: worker 0, webhook 1, starter serve 2, codec server 3.
func MetricsAddr(process int) string {
	host, port, _ := net.SplitHostPort(Default("METRICS_ADDR"))
	n, _ := strconv.Atoi(port) // a test reads the table
	return net.JoinHostPort(host, strconv.Itoa(n+process))
}
