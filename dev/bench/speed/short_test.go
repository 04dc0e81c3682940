package speed

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/skip"
	"didit-temporal/didit/diditsim"
)

// TestShortFormsMeasure runs small models of all of them, with this build as the older one too. What they measure on a
// machine that does other things as well is only shown; the size of a history is the same on any.
func TestShortFormsMeasure(t *testing.T) {
	skip.Long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	env := run.NewEnv(t.TempDir(), run.Options{Short: true, Seed: 1, Parallel: 1, Profile: t.TempDir()}, t.Output())
	require.NoError(t, env.Build(ctx))
	env.Old, env.Against = env.Programs, "itself"
	t.Run("together", func(t *testing.T) {
		for _, b := range Benchmarks() {
			t.Run(b.Name, func(t *testing.T) {
				t.Parallel()
				report, err := b.Run(ctx, env)
				require.NoError(t, err)
				report.Write(t.Output())
				assert.NotEmpty(t, report.Tables)
				assert.Empty(t, report.Broken)
				assert.True(t, slices.ContainsFunc(report.Ratios, func(x run.Ratio) bool { return x.Peer == "build itself" }), "the older build is measured")
			})
		}
	})
}

func TestSidesAlternateWhoBegins(t *testing.T) {
	var order []string
	of := func(name string, value float64) side {
		return side{name: name, measure: func(_ context.Context, i int) (figures, error) {
			order = append(order, name)
			return figures{"x": value * float64(i+1), name: 1}, nil
		}}
	}
	env := run.NewEnv("", run.Options{Parallel: 1}, t.Output())
	pairs, err := turns(t.Context(), env, "x", 3, of("a", 2), of("b", 1), of("c", 4))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c", "c", "b", "a", "a", "b", "c", "c", "b", "a"}, order)
	assert.InDelta(t, 2, pairs["b"]["x"].Ratio().Median, 1e-9)
	assert.InDelta(t, 0.5, pairs["c"]["x"].Ratio().Median, 1e-9)
	assert.Equal(t, 3, pairs["b"]["x"].Ratio().Pairs, "the first round warms up")
	assert.NotContains(t, pairs["b"], "a", "a figure that one side does not have")
}

func TestAWebhookHasTheSizeThatIsAsked(t *testing.T) {
	for _, size := range []int{1 << 10, 4 << 10, 64 << 10, 256 << 10} {
		assert.InEpsilon(t, size, len(body(diditsim.Session{VendorData: "u"}, "Approved", size, 0)), 0.3)
	}
}

func TestMeasurementsGoThroughAllWhoWait(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6}
	assert.Equal(t, all, part(all, 3, 9), "fewer than a measurement takes")
	assert.Equal(t, []int{0, 1, 2}, part(all, 0, 3))
	assert.Equal(t, []int{3, 4, 5}, part(all, 1, 3))
	assert.Equal(t, []int{6, 0, 1}, part(all, 2, 3), "and from the beginning again")
}

func TestSizesAscend(t *testing.T) {
	sizes, err := parseSizes("10, 200")
	require.NoError(t, err)
	assert.Equal(t, []int{10, 200}, sizes)
	for _, wrong := range []string{"", "ten", "20,10", "0"} {
		_, err := parseSizes(wrong)
		require.ErrorContains(t, err, "-waiting", wrong)
	}
}

func TestUsageIsReadFromTheKernel(t *testing.T) {
	u, err := usageOf(1)
	if err != nil {
		t.Skip("no /proc here")
	}
	assert.Positive(t, u.rss)
}
