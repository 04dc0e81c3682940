package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

const shopToken = "0123456789abcdef-of-the-shop"

func TestServeListsItsSettings(t *testing.T) {
	var b bench
	require.NoError(t, b.line(t, "serve --help"))
	for _, want := range []string{"STARTER_ADDR", ":8081", "STARTER_TOKENS", "required", "DIDIT_ENVIRONMENT", "LOG_FORMAT", "starter serve --check", "/v1/verifications"} {
		assert.Contains(t, b.out.String(), want)
	}
	assert.NotContains(t, b.out.String(), "DIDIT_API_KEY", "only the worker has it")
}

func TestServeTakesItsSettingsFromTheEnvironment(t *testing.T) {
	b := bench{environment: map[string]string{"STARTER_TOKENS": "shop:" + shopToken, "STARTER_ADDR": "127.0.0.1:0"}}
	require.NoError(t, b.line(t, "serve"))
	require.Len(t, b.served, 1)
	assert.Equal(t, "127.0.0.1:0", b.served[0].Addr)
	assert.Equal(t, []config.Token{{Name: "shop", Value: config.NewSecret(shopToken), Scopes: []string{"start", "read"}}}, b.served[0].Tokens)
	assert.Zero(t, b.dials)
}

func TestServeReportsAllMistakesAtOnce(t *testing.T) {
	b := bench{environment: map[string]string{"STARTER_ADDR": "8081", "STARTER_TOKENS": "hunter2"}}
	err := b.line(t, "serve")
	for _, want := range []string{"starter serve --help", `STARTER_ADDR="8081": want host:port`, "STARTER_TOKENS has no name:token at place 1"} {
		require.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "hunter2")
	assert.Empty(t, b.served)
}

func TestServeCheckAsksTheOneThatRuns(t *testing.T) {
	b := bench{environment: map[string]string{"STARTER_ADDR": ":9000"}, dialError: errors.New("connection refused")}
	require.ErrorIs(t, b.line(t, "serve --check"), b.dialError)
	assert.Equal(t, []string{":9000"}, b.checked)
	assert.Empty(t, b.served, "no token is needed to ask")
}
