package config

import (
	"crypto/tls"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Protocols of OTLP that traces may take.
const (
	HTTPProtobuf = "http/protobuf"
	GRPC         = "grpc"
)

// Traces says where traces go. Headers, certificates, sampler, limits and batching are read by OpenTelemetry's SDK itself.
type Traces struct {
	Protocol string // HTTPProtobuf or GRPC
	URL      string // as it is called; no password in it
	// Unnamed is true when no endpoint was set, so that the SDK has none to read.
	Unnamed bool
}

const otelPrefix = "OTEL_"

// traces reads what OpenTelemetry's specification says of traces
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). A variable that would be ignored is
// refused by its name: a trace that goes nowhere is found when it is needed.
func (e *env) traces() (Traces, bool) {
	if strings.EqualFold(e.otel("SDK_DISABLED"), "true") {
		return Traces{}, false
	}
	e.otherSignals()
	on := e.exporter()
	general, own := e.otel("EXPORTER_OTLP_ENDPOINT"), e.otel("EXPORTER_OTLP_TRACES_ENDPOINT")
	if !on.asked && general == "" && own == "" || on.off {
		return Traces{}, false
	}
	e.sampler()
	e.numbers()
	e.exporterFiles()
	t := Traces{Protocol: e.protocol()}
	t.URL, t.Unnamed = e.endpoint(t.Protocol, general, own), general == "" && own == ""
	return t, true
}

func (e *env) otel(name string) string { return strings.TrimSpace(e.get(otelPrefix + name)) }

type exporterChoice struct{ asked, off bool }

func (e *env) exporter() exporterChoice {
	switch v := e.otel("TRACES_EXPORTER"); v {
	case "":
		return exporterChoice{}
	case "otlp":
		return exporterChoice{asked: true}
	case "none":
		return exporterChoice{off: true}
	default:
		e.wrong(otelPrefix+"TRACES_EXPORTER", v, "otlp or none")
		return exporterChoice{off: true}
	}
}

// otherSignals refuses what only an SDK with metrics and logs could do.
func (e *env) otherSignals() {
	e.oneOf("METRICS_EXPORTER", "none or prometheus: metrics are asked for at METRICS_ADDR", "none", "prometheus")
	e.oneOf("LOGS_EXPORTER", "none: log lines go to standard output", "none")
	for word := range strings.SplitSeq(e.otel("PROPAGATORS"), ",") {
		if !slices.Contains([]string{"", "tracecontext", "baggage"}, strings.TrimSpace(word)) {
			e.wrong(otelPrefix+"PROPAGATORS", e.otel("PROPAGATORS"), "tracecontext, the only form that Temporal's SDKs share")
			break
		}
	}
	if v := e.otel("CONFIG_FILE"); v != "" {
		e.wrong(otelPrefix+"CONFIG_FILE", v, "no such file: set the other OTEL_ variables")
	}
}

// oneOf refuses a value that is set and is none of the words.
func (e *env) oneOf(name, want string, words ...string) {
	if v := e.otel(name); v != "" && !slices.Contains(words, v) {
		e.wrong(otelPrefix+name, v, want)
	}
}

func (e *env) protocol() string {
	for _, name := range []string{"EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_PROTOCOL"} {
		switch v := e.otel(name); v {
		case "":
			continue
		case HTTPProtobuf, GRPC:
			return v
		default:
			e.wrong(otelPrefix+name, v, HTTPProtobuf+" or "+GRPC)
		}
		break
	}
	return HTTPProtobuf
}

// endpoint returns where traces go. That of traces is taken as it is, the general one is the root of all signals.
func (e *env) endpoint(protocol, general, own string) string {
	path := ""
	if protocol == HTTPProtobuf {
		path = "/v1/traces"
	}
	switch {
	case own != "":
		return e.collector("EXPORTER_OTLP_TRACES_ENDPOINT", own, "")
	case general != "":
		return e.collector("EXPORTER_OTLP_ENDPOINT", general, path)
	case protocol == GRPC:
		return "http://localhost:4317"
	}
	return "http://localhost:4318" + path
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

var samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

func (e *env) sampler() {
	e.oneOf("TRACES_SAMPLER", "one of "+strings.Join(samplers, ", "), samplers...)
	v := e.otel("TRACES_SAMPLER_ARG")
	if share, err := strconv.ParseFloat(v, 64); v != "" && !(err == nil && share >= 0 && share <= 1) {
		e.wrong(otelPrefix+"TRACES_SAMPLER_ARG", v, "a share from 0 to 1")
	}
}

// numbers checks what the SDK would ignore without a word.
func (e *env) numbers() {
	for _, name := range []string{
		"BSP_SCHEDULE_DELAY", "BSP_EXPORT_TIMEOUT", "BSP_MAX_QUEUE_SIZE", "BSP_MAX_EXPORT_BATCH_SIZE",
		"EXPORTER_OTLP_TIMEOUT", "EXPORTER_OTLP_TRACES_TIMEOUT", "ATTRIBUTE_VALUE_LENGTH_LIMIT", "ATTRIBUTE_COUNT_LIMIT",
		"SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "SPAN_ATTRIBUTE_COUNT_LIMIT", "SPAN_EVENT_COUNT_LIMIT", "SPAN_LINK_COUNT_LIMIT",
		"EVENT_ATTRIBUTE_COUNT_LIMIT", "LINK_ATTRIBUTE_COUNT_LIMIT",
	} {
		if v := e.otel(name); v != "" {
			if n, err := strconv.Atoi(v); err != nil || n < 0 {
				e.wrong(otelPrefix+name, v, "a whole number, 0 or more; times are in milliseconds")
			}
		}
	}
}

// exporterFiles checks what the exporter would ignore with one line on standard error.
func (e *env) exporterFiles() {
	for _, kind := range []string{"EXPORTER_OTLP_", "EXPORTER_OTLP_TRACES_"} {
		e.oneOf(kind+"COMPRESSION", "gzip or none", "gzip", "none")
		e.headers(kind + "HEADERS")
		if file := e.otel(kind + "CERTIFICATE"); file != "" {
			e.readable(kind+"CERTIFICATE", file)
		}
		cert, key := e.otel(kind+"CLIENT_CERTIFICATE"), e.otel(kind+"CLIENT_KEY")
		if cert == "" && key == "" {
			continue
		}
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			e.fail(otelPrefix+kind+"CLIENT_CERTIFICATE", "and %s%sCLIENT_KEY are no pair of PEM files: %v", otelPrefix, kind, err)
		}
	}
}

func (e *env) readable(name, file string) {
	if _, err := os.ReadFile(file); err != nil { //nolint:gosec // the operator names the file
		e.fail(otelPrefix+name, "cannot be read: %v", err)
	}
}

// headers never shows a value: it may be a key.
func (e *env) headers(name string) {
	v := e.otel(name)
	for i, pair := range strings.Split(v, ",") {
		key, _, both := strings.Cut(pair, "=")
		if v != "" && (!both || strings.TrimSpace(key) == "") {
			e.fail(otelPrefix+name, "has no name=value at place %d", i+1)
		}
	}
}
