package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestTracesAreOffUnlessSomebodyAsksForThem(t *testing.T) {
	for _, tc := range []struct {
		endpoint, exporter, disabled string
		want                         bool
	}{
		{"", "", "", false},
		{"http://127.0.0.1:4318", "", "", true},
		{"", "otlp", "", true},
		{"http://127.0.0.1:4318", "none", "", false},
		{"http://127.0.0.1:4318", "otlp", "true", false},
	} {
		w, err := config.ForWorker(from(map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": tc.endpoint, "OTEL_TRACES_EXPORTER": tc.exporter, "OTEL_SDK_DISABLED": tc.disabled,
		}))
		require.NoError(t, err)
		assert.Equal(t, tc.want, w.Observe.Tracing, "%+v", tc)
	}
	_, err := config.ForWorker(from(map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}))
	assert.ErrorContains(t, err, `OTEL_TRACES_EXPORTER="zipkin": want otlp or none`)
}

func TestMetricsHaveAPortForEachProcessAndCanBeSwitchedOff(t *testing.T) {
	s, err := config.ForStarter(from(map[string]string{"STARTER_TOKENS": "shop:0123456789abcdef0123"}))
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:9466", s.Observe.MetricsAddr)
	h, err := config.ForWebhook(from(map[string]string{"METRICS_ADDR": "Off"}))
	require.NoError(t, err)
	assert.Empty(t, h.Observe.MetricsAddr)
	_, err = config.ForWebhook(from(map[string]string{"METRICS_ADDR": "nine"}))
	assert.ErrorContains(t, err, "METRICS_ADDR")
}
