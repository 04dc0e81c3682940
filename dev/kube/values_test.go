package kube

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"didit-temporal/dev/skip"
)

// helm runs it and returns what it printed.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built(t, "helm"), args...)
	cmd.Env = append(cmd.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestWrongValuesAreRefusedWithTheirPlace(t *testing.T) {
	skip.Long(t)
	for _, wrong := range []struct{ values, set, want string }{
		{"simulator", "temporal.address=temporal", "/temporal/address"},
		{"simulator", "temporal.auth=password", "/temporal/auth"},
		{"simulator", "temporal.auth=mtls", "temporal.secrets.setup is not set"},
		{"simulator", "image.tags=v1", "additional properties 'tags' not allowed"},
		{"simulator", "processes.worker.replicas=two", "/processes/worker/replicas"},
		{"simulator", "processes.codec.replicas=2", "/processes/codec/replicas"},
		{"simulator", "processes.worker.settings.DIDIT_API_KEY=plain", "additional properties 'DIDIT_API_KEY' not allowed"},
		{"simulator", "processes.worker.settings.WEBHOOK_MAX_BODY=1MiB", "additional properties 'WEBHOOK_MAX_BODY' not allowed"},
		{"simulator", "processes.worker.settings.DIDIT_WORKFLOW_ID=", "DIDIT_WORKFLOW_ID is not set"},
		{"simulator", "processes.webhook.autoscaling.kind=keda", "/processes/webhook/autoscaling/kind"},
		{"simulator", "processes.worker.autoscaling.kind=hpa", "missing properties 'min', 'max'"},
		{"simulator", "secrets.DIDIT_WEBHOOK_SECRETS=", "/secrets/DIDIT_WEBHOOK_SECRETS"},
		{"cloud", "processes.codec.enabled=true", "secrets.CODEC_TOKENS is not set"},
		{"simulator", "networkPolicy.temporal=null", "networkPolicy.temporal is not set"}, // it would allow all
		{"simulator", "networkPolicy.temporal[0].namespace=temporal", "additional properties 'namespace' not allowed"},
		{"simulator", "shutdownDelay=61", "/shutdownDelay"},
	} {
		out, err := helm(t, "template", "kyc", chart, "-f", valuesOf(wrong.values), "--set", wrong.set)
		if assert.Error(t, err, wrong.set) {
			assert.Contains(t, out, wrong.want, wrong.set)
		}
	}
}

func valuesOf(name string) string { return filepath.Join(chart, "values-"+name+".yaml") }
