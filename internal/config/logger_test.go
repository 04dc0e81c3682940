package config_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestLinesOfTheSDKAreInOurWordsAndInUTC(t *testing.T) {
	east := time.Date(2026, 11, 24, 3, 0, 0, 0, time.FixedZone("east", 3600))
	for name, write := range map[string]func(*slog.Logger){
		"in a line":             func(l *slog.Logger) { l.Info("x", "RunID", "r1", "at", east) },
		"of all lines":          func(l *slog.Logger) { l.With("RunID", "r1", "at", east).Info("x") },
		"in a group":            func(l *slog.Logger) { l.Info("x", slog.Group("in", "RunID", "r1", "at", east)) },
		"in a group of all":     func(l *slog.Logger) { l.WithGroup("in").Info("x", "RunID", "r1", "at", east) },
		"behind one of our own": func(l *slog.Logger) { l.Info("x", "code", 400, "RunID", "r1", "at", east) },
		"behind more than a few": func(l *slog.Logger) {
			l.Info("x", "a", 1, "b", 2, "c", 3, "d", 4, "e", 5, "f", 6, "RunID", "r1", "at", east)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, format := range []config.LogFormat{config.Text, config.JSON} {
				var out bytes.Buffer
				write(config.NewLogger(&out, slog.LevelInfo, format))
				require.Contains(t, out.String(), "run_id")
				require.Contains(t, out.String(), "r1")
				require.Contains(t, out.String(), "2026-11-24T02:00:00")
				require.NotContains(t, out.String(), "RunID")
			}
		})
	}
}
