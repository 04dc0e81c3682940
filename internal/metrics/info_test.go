package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
)

func TestAProcessPublishesItsBuildAndSettings(t *testing.T) {
	m := metrics.New()
	m.Publish(config.Published{Process: "webhook", Environment: "live", Namespace: "default"}.Labels())
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	assert.Regexp(t, `kyc_build_info\{go="go1\..*",revision=".+",version=".+"\} 1`, rec.Body.String())
	assert.Regexp(t, `kyc_settings_info\{.*environment="live".*process="webhook".*\} 1`, rec.Body.String())
}
