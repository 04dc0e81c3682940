package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestTracesGoWhereTheSpecificationSays(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string // without OTEL_
		want string            // protocol and URL; empty: off
	}{
		"nothing is set":                      {nil, ""},
		"the endpoint of all signals":         {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, "http/protobuf http://127.0.0.1:4318/v1/traces"},
		"the endpoint of all, below a path":   {map[string]string{"EXPORTER_OTLP_ENDPOINT": "https://c.example/otlp/"}, "http/protobuf https://c.example/otlp/v1/traces"},
		"the endpoint of traces alone":        {map[string]string{"EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/x"}, "http/protobuf http://127.0.0.1:4318/x"},
		"the endpoint of traces wins":         {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://a:1", "EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2/t"}, "http/protobuf http://b:2/t"},
		"the exporter alone":                  {map[string]string{"TRACES_EXPORTER": "otlp"}, "http/protobuf http://localhost:4318/v1/traces"},
		"the exporter alone, by gRPC":         {map[string]string{"TRACES_EXPORTER": "otlp", "EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc http://localhost:4317"},
		"gRPC of traces wins":                 {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://c:4317", "EXPORTER_OTLP_PROTOCOL": "http/protobuf", "EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "grpc http://c:4317"},
		"a password in the endpoint":          {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://u:secret@c:4318"}, "http/protobuf http://u:xxxxx@c:4318/v1/traces"},
		"no exporter":                         {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://a:1", "TRACES_EXPORTER": "none"}, ""},
		"the SDK is disabled":                 {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://a:1", "SDK_DISABLED": "True"}, ""},
		"a disabled SDK reads nothing else":   {map[string]string{"TRACES_EXPORTER": "zipkin", "SDK_DISABLED": "true"}, ""},
		"what others inject, and we can keep": {map[string]string{"EXPORTER_OTLP_ENDPOINT": "http://a:1", "METRICS_EXPORTER": "none", "LOGS_EXPORTER": "none", "PROPAGATORS": "tracecontext,baggage", "TRACES_SAMPLER": "parentbased_traceidratio", "TRACES_SAMPLER_ARG": "0.25", "BSP_SCHEDULE_DELAY": "100", "EXPORTER_OTLP_HEADERS": "api-key=a%3Db,x=y"}, "http/protobuf http://a:1/v1/traces"},
	} {
		w, err := config.ForWorker(from(otel(tc.env)))
		require.NoError(t, err, name)
		got := ""
		if w.Telemetry.Tracing {
			got = w.Telemetry.Traces.Protocol + " " + w.Telemetry.Traces.URL
		}
		assert.Equal(t, tc.want, got, name)
	}
}

func otel(env map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range env {
		out["OTEL_"+name] = value
	}
	return out
}

// What would be ignored is refused by its name, and no value that may be a secret is repeated.
func TestAnOpenTelemetryVariableThatWouldBeIgnoredIsRefused(t *testing.T) {
	for name, value := range map[string]string{
		"TRACES_EXPORTER": "zipkin", "EXPORTER_OTLP_ENDPOINT": "collector:4318", "EXPORTER_OTLP_TRACES_ENDPOINT": "127.0.0.1:4318",
		"EXPORTER_OTLP_PROTOCOL": "http/json", "EXPORTER_OTLP_TRACES_PROTOCOL": "GRPC", "TRACES_SAMPLER": "jaeger_remote",
		"TRACES_SAMPLER_ARG": "half", "PROPAGATORS": "b3", "METRICS_EXPORTER": "otlp", "LOGS_EXPORTER": "otlp", "CONFIG_FILE": "otel.yaml",
		"BSP_MAX_QUEUE_SIZE": "many", "EXPORTER_OTLP_TIMEOUT": "10s", "EXPORTER_OTLP_COMPRESSION": "zstd",
		"EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem", "EXPORTER_OTLP_CLIENT_KEY": "/nowhere/key.pem", "EXPORTER_OTLP_HEADERS": "secret-without-a-name",
	} {
		env := otel(map[string]string{"TRACES_EXPORTER": "otlp", name: value})
		_, err := config.ForWorker(from(env))
		require.ErrorContains(t, err, "OTEL_", name)
		if name == "EXPORTER_OTLP_CLIENT_KEY" {
			name = "EXPORTER_OTLP_CLIENT_CERTIFICATE"
		}
		assert.ErrorContains(t, err, "OTEL_"+name)
		assert.NotContains(t, err.Error(), "secret-without-a-name")
	}
}

func TestMetricsHaveAPortForEachProcessAndCanBeSwitchedOff(t *testing.T) {
	s, err := config.ForStarter(from(map[string]string{"STARTER_TOKENS": "shop:0123456789abcdef0123"}))
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:9466", s.Telemetry.MetricsAddr)
	h, err := config.ForWebhook(from(map[string]string{"METRICS_ADDR": "Off"}))
	require.NoError(t, err)
	assert.Empty(t, h.Telemetry.MetricsAddr)
	_, err = config.ForWebhook(from(map[string]string{"METRICS_ADDR": "nine"}))
	assert.ErrorContains(t, err, "METRICS_ADDR")
}
