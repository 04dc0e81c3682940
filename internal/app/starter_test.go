package app

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
	"didit-temporal/starter/api"
)

func TestTheSettingsKnowEveryScope(t *testing.T) {
	rights := ""
	for _, s := range api.Scopes() {
		rights += " " + string(s)
	}
	cfg, err := config.ForStarter(func(name string) string {
		return map[string]string{"STARTER_TOKENS": "shop:0123456789abcdef-of-the-shop;scopes=" + rights + ";polls=7"}[name]
	})
	require.NoError(t, err)
	got := callers(cfg.Tokens)
	assert.Equal(t, []api.Caller{{Name: "shop", Token: "0123456789abcdef-of-the-shop", Scopes: api.Scopes(), Polls: 7}}, got)
}
