package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	type hidden struct{ s config.Secret } // fmt cannot call methods on an unexported field
	s := config.NewSecret("hunter2")
	shown := config.Worker{DiditAPIKey: s}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", shown)
		fmt.Fprintf(&out, verb+"\n", hidden{s})
		fmt.Fprintf(&out, verb+"\n", []config.Secret{s})
	}
	fmt.Fprintln(&out, s.String(), s.GoString(), fmt.Errorf("wrapped: %v", s))
	require.NoError(t, json.NewEncoder(&out).Encode(map[string]any{"worker": shown, "s": s}))
	for _, format := range []config.LogFormat{config.JSON, config.Text} {
		log := config.NewLogger(&out, slog.LevelInfo, format)
		log.Info("started", "key", s, "config", shown, "all", []config.Secret{s})
		log.With("key", s, slog.Group("in", "key", &s)).WithGroup("deep").Info("started", slog.Group("er", "key", s, "config", shown))
	}

	assert.NotContains(t, out.String(), "hunter2")
	assert.NotContains(t, out.String(), "68756e74657232", "in hexadecimal")
	assert.Contains(t, out.String(), "[redacted]")
	assert.Equal(t, "hunter2", s.Reveal())
	assert.Empty(t, config.Secret{}.Reveal(), "the zero value is safe to use")
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	config.NewLogger(&out, slog.LevelWarn, config.JSON).Info("quiet")
	assert.Empty(t, out.String(), "below the level")

	config.NewLogger(&out, slog.LevelWarn, config.JSON).Warn("loud", "user_id", "u1")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, "loud", line["msg"])
	assert.Equal(t, "u1", line["user_id"])
	assert.Regexp(t, `Z$`, line["time"], "times are in UTC")

	out.Reset()
	config.NewLogger(&out, slog.LevelInfo, config.Text).Info("hello", "user_id", "u1")
	assert.Contains(t, out.String(), "msg=hello user_id=u1")
}
