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
	programs := t.TempDir()
	require.NoError(t, run.Build(ctx, programs))
	env := run.NewEnv(programs, 4, t.Output())
	env.Short, env.Seed = true, 1
	t.Run("together", func(t *testing.T) {
		for _, name := range []string{"blog", "storm", "priority", "tenants"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				report, err := benchmark(t, name).Run(ctx, env)
				require.NoError(t, err)
				report.Write(t.Output())
				assert.NotEmpty(t, report.Tables)
				assert.Empty(t, report.Unsafe())
			})
		}
	})
}

func benchmark(t *testing.T, name string) run.Bench {
	t.Helper()
	for _, b := range Benchmarks() {
		if b.Name == name {
			return b
		}
	}
	require.Fail(t, "no benchmark "+name)
	return run.Bench{}
}
