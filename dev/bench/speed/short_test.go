package speed

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/skip"
)

// TestShortFormsMeasure runs small models of all of them. What they measure on a machine that does other things as well is
// only shown; the size of a history is the same on any.
func TestShortFormsMeasure(t *testing.T) {
	skip.Long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	programs := t.TempDir()
	require.NoError(t, run.Build(ctx, programs))
	env := run.NewEnv(programs, 1, t.Output())
	env.Short, env.Seed = true, 1
	t.Run("together", func(t *testing.T) {
		for _, b := range Benchmarks() {
			t.Run(b.Name, func(t *testing.T) {
				t.Parallel()
				report, err := b.Run(ctx, env)
				require.NoError(t, err)
				report.Write(t.Output())
				assert.NotEmpty(t, report.Tables)
				assert.Empty(t, report.Broken)
			})
		}
	})
}

func TestSidesAlternateWhoBegins(t *testing.T) {
	var order []string
	side := func(name string, value float64) measurement {
		return func(_ context.Context, i int) (figures, error) {
			order = append(order, name)
			return figures{"x": value * float64(i+1)}, nil
		}
	}
	pairs, err := alternate(t.Context(), run.NewEnv("", 1, t.Output()), "x", 3, side("a", 2), side("b", 1))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "b", "a", "a", "b", "b", "a"}, order)
	assert.InDelta(t, 2, pairs["x"].Ratio().Median, 1e-9)
	assert.Equal(t, 3, pairs["x"].Ratio().Pairs, "the first pair warms up")
}

func TestAWebhookHasTheSizeThatIsAsked(t *testing.T) {
	for _, size := range []int{1 << 10, 4 << 10, 64 << 10, 256 << 10} {
		assert.InEpsilon(t, size, len(verification{user: "u"}.body("Approved", size)), 0.3)
	}
}

// numbered are n verifications that can be told apart.
func numbered(n int) []verification {
	all := make([]verification, n)
	for i := range all {
		all[i].run = strconv.Itoa(i)
	}
	return all
}

func TestMeasurementsGoThroughAllWhoWait(t *testing.T) {
	all := numbered(7)
	assert.Equal(t, all, partOf(all, 3, 9), "fewer than a measurement takes")
	assert.Equal(t, all[0:3], partOf(all, 0, 3))
	assert.Equal(t, all[3:6], partOf(all, 1, 3))
	assert.Equal(t, all[0:3], partOf(all, 2, 3), "and from the beginning again")
	assert.Equal(t, all[0:4], partOf(all, 1, 4), "too few for two parts")
	thirds := numbered(9)
	assert.Equal(t, thirds[0:3], partOf(thirds, 2, 3), "of three parts two are taken")
}

func TestTheSidesOfAPairShareNobody(t *testing.T) {
	const n = 3
	for size := 2 * n; size <= 7*n; size++ {
		all := numbered(size)
		var ours, theirs []verification
		for i := range 20 {
			ours = append(ours, partOf(all, 2*i, n)...)
			theirs = append(theirs, partOf(all, 2*i+1, n)...)
		}
		for _, v := range ours {
			assert.NotContains(t, theirs, v, "%d of %d each", n, size)
		}
	}
}

func TestAnOutlierDoesNotBendTheCurve(t *testing.T) {
	assert.InDelta(t, 52, along([]float64{50, 50.1, 80, 50.3, 50.4, 50.5}, 20), 1e-9)
	assert.InDelta(t, 50, along([]float64{50, 49, 48, 50, 50, 50}, 100), 1, "what shrinks is not continued")
}

func TestUsageIsReadFromTheKernel(t *testing.T) {
	u, err := usageOf(1)
	if err != nil {
		t.Skip("no /proc here")
	}
	assert.Positive(t, u.rss)
}
