package config_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
	"didit-temporal/kyc/codec"
)

// What a process publishes is read by all who may read metrics.
func TestNothingSecretIsPublished(t *testing.T) {
	key, err := codec.Generate("k1")
	require.NoError(t, err)
	secrets := map[string]string{
		"DIDIT_API_KEY": "0123456789-the-key", "DIDIT_WEBHOOK_SECRETS": "0123456789-secret-a,0123456789-secret-b", "STARTER_TOKENS": "shop:0123456789-the-token",
		"RESULT_URL": "https://user:0123456789-password@shop.example/results", "RESULT_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "PAYLOAD_KEYS": key,
	}
	env := from(secrets)
	worker, err := config.ForWorker(env)
	require.NoError(t, err)
	webhook, err := config.ForWebhook(env)
	require.NoError(t, err)
	starter, err := config.ForStarter(env)
	require.NoError(t, err)
	all := []config.Published{worker.Published("ns"), webhook.Published("ns"), starter.Published("ns")}
	text := fmt.Sprint(all)
	for _, part := range []string{"0123456789", "MfKQ9r8", "shop", key[3:]} {
		assert.NotContains(t, text, part)
	}
	assert.Equal(t, "k1", all[0].PayloadKeys)
	assert.Len(t, all[0].APIKey, 6)
	assert.Regexp(t, `^[0-9a-f]{6} [0-9a-f]{6}$`, all[1].WebhookSecrets)
	for _, p := range all {
		assert.Equal(t, p, config.PublishedFrom(p.Labels()), "read back from labels")
	}
}

// Without KYC_DEPLOYMENT the namespace says whose sessions are ours, as it does in the processes.
func TestADeploymentIsPublishedWithItsDefault(t *testing.T) {
	for name, tc := range map[string]struct{ set, want string }{"set": {"production", "production"}, "not set": {"", "ns"}} {
		t.Run(name, func(t *testing.T) {
			worker, webhook := config.Worker{Deployment: tc.set}, config.Webhook{Deployment: tc.set}
			assert.Equal(t, tc.want, worker.Published("ns").Deployment)
			assert.Equal(t, tc.want, webhook.Published("ns").Deployment)
		})
	}
}
