package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

const shopToken = "0123456789abcdef-of-the-shop"

func starter(changes map[string]string) (config.Starter, error) {
	vars := map[string]string{"STARTER_TOKENS": "shop:" + shopToken}
	for k, v := range changes {
		vars[k] = v
	}
	return config.ForStarter(func(name string) string { return vars[name] })
}

func TestStarterDefaults(t *testing.T) {
	s, err := starter(nil)
	require.NoError(t, err)
	assert.Equal(t, config.Starter{
		Addr: ":8081", Tokens: []config.Token{{Name: "shop", Value: config.NewSecret(shopToken), Scopes: []string{"start", "read"}}}, Environment: config.Live,
		Telemetry: config.Telemetry{MetricsAddr: "127.0.0.1:9466", LogLevel: slog.LevelInfo, LogFormat: config.JSON},
	}, s)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", s, s.Tokens), shopToken)
}

func TestTokensOfSeveralCallers(t *testing.T) {
	s, err := starter(map[string]string{"STARTER_TOKENS": " shop:" + shopToken + ", shop:the-next-0123456789:x , ops.eu-1:another-0123456789", "STARTER_ADDR": "127.0.0.1:0"})
	require.NoError(t, err)
	var got []string
	for _, one := range s.Tokens {
		got = append(got, one.Name+" "+one.Value.Reveal())
	}
	assert.Equal(t, []string{"shop " + shopToken, "shop the-next-0123456789:x", "ops.eu-1 another-0123456789"}, got)

	path := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte("shop:from-a-file-01234\n"), 0o600))
	s, err = starter(map[string]string{"STARTER_TOKENS": "", "STARTER_TOKENS_FILE": path})
	require.NoError(t, err)
	assert.Equal(t, "from-a-file-01234", s.Tokens[0].Value.Reveal())
}

func TestATokensRights(t *testing.T) {
	const flow = "11111111-2222-4333-8444-555555555555"
	s, err := starter(map[string]string{"STARTER_TOKENS": "shop:" + shopToken + ";scopes=start read reverify;flows=" + flow +
		"; hosts=shop.example www.shop.example ;starts=20;polls=100, ops:another-0123456789;scopes=decide erase"})
	require.NoError(t, err)
	assert.Equal(t, []config.Token{
		{
			Name: "shop", Value: config.NewSecret(shopToken), Scopes: []string{"start", "read", "reverify"}, Flows: []string{flow},
			ReturnHosts: []string{"shop.example", "www.shop.example"}, Starts: 20, Polls: 100,
		},
		{Name: "ops", Value: config.NewSecret("another-0123456789"), Scopes: []string{"decide", "erase"}},
	}, s.Tokens)
	for _, rights := range []string{
		"scopes=", "scopes=admin", "scopes=start,read", "scopes", "flows=mine", "flows=", "hosts=https://shop.example", "hosts=shop.example:443", "hosts=*",
		"starts=0", "starts=-1", "polls=many", "polls=1 2", "colour=red", "Scopes=start", ";",
	} {
		_, err := starter(map[string]string{"STARTER_TOKENS": "shop:" + shopToken + ";" + rights})
		assert.Error(t, err, rights)
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for name, tc := range map[string]struct{ value, wrong string }{
		"none":                      {"", "is not set (name:token for each caller"},
		"a token without a name":    {"hunter2-hunter2-hunter2", "no name:token at place 1"},
		"a name without a token":    {"hunter2:", "no name:token at place 1"},
		"an empty name":             {":hunter2-hunter2-hunter2", "a name at place 1 that is not"},
		"a name with a space":       {"my hunter2:" + shopToken, "a name at place 1 that is not"},
		"a short token":             {"shop:hunter2", "an entry of 7 characters at place 1: want at least 16"},
		"a placeholder":             {"shop:hunter2-CHANGEME-now", "a placeholder at place 1"},
		"one character":             {"shop:xxxxxxxxxxxxxxxxxxxx", "one character, repeated"},
		"a token with a space":      {"shop:hunter2 hunter2 hunter2", "white space"},
		"a token in another script": {"shop:hunter2-hünter2-hunter2", "no HTTP header can carry"},
		"an extra comma":            {"shop:" + shopToken + ",", "an empty entry at place 2"},
		"one token for two":         {"shop:hunter2-hunter2-hunter2,ops:hunter2-hunter2-hunter2", "one token at places 1 and 2"},
		"the public token in live":  {"shop:simulator-hunter2-hunter2", "the simulator's public token at place 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := starter(map[string]string{"STARTER_TOKENS": tc.value})
			require.ErrorContains(t, err, tc.wrong)
			assert.True(t, strings.HasPrefix(err.Error(), "STARTER_TOKENS "))
			assert.NotContains(t, strings.ToLower(err.Error()), "hunter2", "a secret was printed")
		})
	}
	_, err := starter(map[string]string{"STARTER_TOKENS": "shop:simulator-hunter2-hunter2", "DIDIT_ENVIRONMENT": "sandbox"})
	require.NoError(t, err, "the public token is fine where nothing is real")
	_, err = starter(map[string]string{"STARTER_TOKENS": "shop:hunter2", "STARTER_ADDR": "8081", "LOG_LEVEL": "loud"})
	assert.Len(t, strings.Split(err.Error(), "\n"), 3, "all mistakes at once")
}
