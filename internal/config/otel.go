package config

import (
	"crypto/tls"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Protocols of OTLP for traces.
const (
	HTTPProtobuf = "http/protobuf"
	GRPC         = "grpc"
)

// Traces says where traces go. OpenTelemetry's SDK reads headers, certificates, sampler, limits and batching itself.
type Traces struct {
	Protocol string // HTTPProtobuf or GRPC
	URL      string // as it is called; no password in it
	// Unnamed is true when no endpoint was set, so that the SDK has none to read.
	Unnamed bool
}

// otelRule says which values of some variables the SDK obeys.
type otelRule struct {
	want  string
	valid func(string) bool
	names []string // without OTEL_
}

// otelSignals are checked whether traces are on or not: they ask for what only an SDK with metrics and logs can do.
var otelSignals = []otelRule{
	{"otlp or none", oneOf("otlp", "none"), []string{"TRACES_EXPORTER"}},
	{"none or prometheus: METRICS_ADDR serves the metrics", oneOf("none", "prometheus"), []string{"METRICS_EXPORTER"}},
	{"none: log lines go to standard output", oneOf("none"), []string{"LOGS_EXPORTER"}},
	{"tracecontext, the only form that Temporal's SDKs share", everyWord(oneOf("", "tracecontext", "baggage")), []string{"PROPAGATORS"}},
	{"no such file: set the other OTEL_ variables", oneOf(), []string{"CONFIG_FILE"}},
}

var samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

// otelTraces are checked where traces are on: the SDK ignores a wrong value of these, with one line on standard error at most.
var otelTraces = []otelRule{
	{"one of " + strings.Join(samplers, ", "), oneOf(samplers...), []string{"TRACES_SAMPLER"}},
	{"a share from 0 to 1", isShare, []string{"TRACES_SAMPLER_ARG"}},
	{"gzip or none", oneOf("gzip", "none"), []string{"EXPORTER_OTLP_COMPRESSION", "EXPORTER_OTLP_TRACES_COMPRESSION"}},
	{"a whole number, 0 or more; times are in milliseconds", isCount, []string{
		"BSP_SCHEDULE_DELAY", "BSP_EXPORT_TIMEOUT", "BSP_MAX_QUEUE_SIZE", "BSP_MAX_EXPORT_BATCH_SIZE",
		"EXPORTER_OTLP_TIMEOUT", "EXPORTER_OTLP_TRACES_TIMEOUT", "ATTRIBUTE_VALUE_LENGTH_LIMIT", "ATTRIBUTE_COUNT_LIMIT",
		"SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "SPAN_ATTRIBUTE_COUNT_LIMIT", "SPAN_EVENT_COUNT_LIMIT", "SPAN_LINK_COUNT_LIMIT",
		"EVENT_ATTRIBUTE_COUNT_LIMIT", "LINK_ATTRIBUTE_COUNT_LIMIT",
	}},
}

func oneOf(words ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(words, v) }
}

func everyWord(valid func(string) bool) func(string) bool {
	return func(v string) bool {
		return !slices.ContainsFunc(strings.Split(v, ","), func(word string) bool { return !valid(strings.TrimSpace(word)) })
	}
}

func isShare(v string) bool {
	share, err := strconv.ParseFloat(v, 64)
	return err == nil && share >= 0 && share <= 1
}

func isCount(v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && n >= 0
}

const otelPrefix = "OTEL_"

func (e *env) otel(name string) string { return strings.TrimSpace(e.get(otelPrefix + name)) }

// traces reads what OpenTelemetry's specification says of traces
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). It refuses a variable that the SDK would
// ignore: otherwise a missing trace is noticed only when it is needed.
func (e *env) traces() (Traces, bool) {
	if strings.EqualFold(e.otel("SDK_DISABLED"), "true") {
		return Traces{}, false
	}
	e.check(otelSignals)
	exporter, general, own := e.otel("TRACES_EXPORTER"), e.otel("EXPORTER_OTLP_ENDPOINT"), e.otel("EXPORTER_OTLP_TRACES_ENDPOINT")
	unnamed := general == "" && own == ""
	if exporter == "" && unnamed || exporter != "" && exporter != "otlp" {
		return Traces{}, false
	}
	e.check(otelTraces)
	e.exporterFiles()
	protocol := e.protocol()
	return Traces{Protocol: protocol, URL: e.endpoint(protocol, general, own), Unnamed: unnamed}, true
}

func (e *env) check(rules []otelRule) {
	for _, r := range rules {
		for _, name := range r.names {
			if v := e.otel(name); v != "" && !r.valid(v) {
				e.wrong(otelPrefix+name, v, r.want)
			}
		}
	}
}

func (e *env) protocol() string {
	for _, name := range []string{"EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_PROTOCOL"} {
		v := e.otel(name)
		switch v {
		case "":
			continue
		case HTTPProtobuf, GRPC:
			return v
		}
		e.wrong(otelPrefix+name, v, HTTPProtobuf+" or "+GRPC)
		break
	}
	return HTTPProtobuf
}

// endpoint returns where traces go. The endpoint of traces is taken as it is, the general one is the root of all signals.
func (e *env) endpoint(protocol, general, own string) string {
	path, port := "/v1/traces", "4318"
	if protocol == GRPC {
		path, port = "", "4317"
	}
	switch {
	case own != "":
		return e.collector("EXPORTER_OTLP_TRACES_ENDPOINT", own, "")
	case general != "":
		return e.collector("EXPORTER_OTLP_ENDPOINT", general, path)
	}
	return "http://localhost:" + port + path
}

func (e *env) collector(name, value, path string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		e.fail(otelPrefix+name, "is not a URL with http:// or https:// and a host: want one such as http://127.0.0.1:4318")
		return ""
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	return u.Redacted()
}

// exporterFiles checks headers and certificates. It never shows a header: it may be a key.
func (e *env) exporterFiles() {
	for _, kind := range []string{"EXPORTER_OTLP_", "EXPORTER_OTLP_TRACES_"} {
		if v := e.otel(kind + "HEADERS"); v != "" {
			for i, pair := range strings.Split(v, ",") {
				if key, _, both := strings.Cut(pair, "="); !both || strings.TrimSpace(key) == "" {
					e.fail(otelPrefix+kind+"HEADERS", "has no name=value at place %d", i+1)
				}
			}
		}
		if file := e.otel(kind + "CERTIFICATE"); file != "" {
			if _, err := os.ReadFile(file); err != nil { //nolint:gosec // the operator names the file
				e.fail(otelPrefix+kind+"CERTIFICATE", "cannot be read: %v", err)
			}
		}
		cert, key := e.otel(kind+"CLIENT_CERTIFICATE"), e.otel(kind+"CLIENT_KEY")
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil && cert+key != "" {
			e.fail(otelPrefix+kind+"CLIENT_CERTIFICATE", "and %s%sCLIENT_KEY are no pair of PEM files: %v", otelPrefix, kind, err)
		}
	}
}
