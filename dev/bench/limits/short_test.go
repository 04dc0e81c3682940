package limits

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/skip"
)

// TestShortFormsLoseNobody runs small models of some benchmarks. What they measure depends on the machine and is only
// shown; what must hold on any machine is asserted.
func TestShortFormsLoseNobody(t *testing.T) {
	skip.Long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	env := run.NewEnv(t.TempDir(), run.Options{Short: true, Seed: 1, Parallel: 4}, t.Output())
	require.NoError(t, env.Build(ctx))
	t.Run("together", func(t *testing.T) {
		for _, b := range Benchmarks() {
			t.Run(b.Name, func(t *testing.T) {
				t.Parallel()
				report, err := b.Run(ctx, env)
				require.NoError(t, err)
				report.Write(t.Output())
				assert.NotEmpty(t, report.Tables)
				assert.Empty(t, report.Unsafe())
			})
		}
	})
}
