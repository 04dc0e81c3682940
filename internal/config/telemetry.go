package config

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
)

// Telemetry says which metrics and traces a process offers, and how it logs. The zero value offers none.
type Telemetry struct {
	MetricsAddr string // where metrics are served; empty: nowhere
	Tracing     bool
	Traces      Traces
	LogLevel    slog.Level
	LogFormat   LogFormat
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

// traced is telemetry with traces.
func (e *env) traced(process int) Telemetry {
	o := e.telemetry(process)
	o.Traces, o.Tracing = e.traces()
	return o
}

func (e *env) telemetry(process int) Telemetry {
	return Telemetry{MetricsAddr: e.metricsAddr(process), LogLevel: e.logLevel(), LogFormat: choice(e, "LOG_FORMAT", JSON, Text)}
}

// metricsAddr reads METRICS_ADDR, whose default is that of the table plus the number of the process.
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

// LogFormat is how log lines are written.
type LogFormat string

// JSON is for machines and the default; Text is for a person who reads a terminal.
const (
	JSON LogFormat = "json"
	Text LogFormat = "text"
)

// NewLogger returns a logger that writes one line per record to w. Times are in UTC, so that lines of machines in different
// zones sort together.
func NewLogger(w io.Writer, level slog.Level, format LogFormat) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: uniform}
	if format == Text {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

// sdkKeys maps the keys of Temporal's SDK to those of our own lines, so that one search finds both.
var sdkKeys = map[string]string{
	"WorkflowID": "workflow_id", "RunID": "run_id", "WorkflowType": "workflow_type", "ActivityID": "activity_id",
	"ActivityType": "activity_type", "Attempt": "attempt", "TaskQueue": "queue", "Namespace": "namespace", "WorkerID": "worker_id",
	"Error": "error", "UpdateID": "update_id", "UpdateName": "update",
}

func uniform(_ []string, a slog.Attr) slog.Attr {
	if ours, known := sdkKeys[a.Key]; known {
		a.Key = ours
	}
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}
