package config

import (
	"net"
	"strconv"
	"strings"
)

// Telemetry says which metrics and traces a process offers. The zero value offers none.
type Telemetry struct {
	MetricsAddr string // where Prometheus may ask; empty: nowhere
	Tracing     bool
	Traces      Traces
}

// Off switches metrics off.
const Off = "off"

// The metrics of each process have a port of their own, so that all of them may run on one machine.
const (
	metricsOfWorker  = 0
	metricsOfWebhook = 1
	metricsOfStarter = 2
	metricsOfCodec   = 3
)

// observe reads METRICS_ADDR, whose default is that of the table plus the number of the process, and where traces go.
func (e *env) telemetry(process int) Telemetry {
	o := Telemetry{MetricsAddr: e.metricsAddr(process)}
	o.Traces, o.Tracing = e.traces()
	return o
}

func (e *env) metricsAddr(process int) string {
	if strings.TrimSpace(e.get("METRICS_ADDR")) == "" {
		host, port, _ := net.SplitHostPort(defaultOf("METRICS_ADDR"))
		n, _ := strconv.Atoi(port) // a test reads the table
		return net.JoinHostPort(host, strconv.Itoa(n+process))
	}
	if strings.EqualFold(e.text("METRICS_ADDR"), Off) {
		return ""
	}
	return e.address("METRICS_ADDR")
}
