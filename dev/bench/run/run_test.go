package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func benches() []Bench {
	return []Bench{{Name: "a", Group: "g"}, {Name: "b", Group: "g"}, {Name: "long", Group: "g", Extra: true}}
}

func TestBenchmarksAreChosenByName(t *testing.T) {
	names := func(only string) string {
		chosen, err := choose(benches(), only)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, b := range chosen {
			all = append(all, b.Name)
		}
		return strings.Join(all, " ")
	}
	assert.Equal(t, "a b", names(""), "what is long runs only when it is named")
	assert.Equal(t, "long a", names("long, a"))
	assert.Contains(t, names("c"), "no benchmark")
}

func TestABrokenPromiseAndWhatCannotBeMeasuredEndWithAnError(t *testing.T) {
	kept := &Report{}
	kept.Promise(true, "kept")
	broken := &Report{}
	broken.Promise(false, "%d users lost", 3)
	broken.Target(false, "slow")
	var out bytes.Buffer
	err := conclude(&out, "", []Result{{Bench: "a", Report: *kept}, {Bench: "b", Report: *broken}}, benches())
	require.EqualError(t, err, "b: broken: 3 users lost")
	assert.Contains(t, out.String(), "MISSED: slow")
	require.NoError(t, conclude(&out, "", []Result{{Bench: "a", Report: *kept}}, benches()), "a missed target is no error")
	err = conclude(&out, "", []Result{{Bench: "a", err: errors.New("no server")}}, benches())
	require.EqualError(t, err, "a cannot be measured: no server")
}

func TestResultsReplaceThoseOfTheSameBenchmark(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	of := func(bench string, seed uint64) Result { return Result{Bench: bench, Seed: seed, group: "g"} }
	require.NoError(t, conclude(&out, dir, []Result{of("b", 1), of("long", 1)}, benches()))
	require.NoError(t, conclude(&out, dir, []Result{of("a", 2), of("b", 2)}, benches()))
	b, err := os.ReadFile(filepath.Join(dir, "bench", "g.json"))
	require.NoError(t, err)
	var all []Result
	require.NoError(t, json.Unmarshal(b, &all))
	var got []string
	for _, r := range all {
		got = append(got, r.Bench+string(rune('0'+r.Seed)))
	}
	assert.Equal(t, []string{"a2", "b2", "long1"}, got)
}

func TestCurvesBecomeAPicture(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, draw(dir, []Result{{Report: Report{Series: []Series{
		{Picture: "p", Name: "ours", Step: 1, Y: []float64{1, 2, 3}}, {Picture: "p", Name: "the limit", Step: 2, Y: []float64{3, 3}},
	}}}}, []Bench{{Picture: Picture{Name: "p", Title: "title", Floor: 10}}}))
	b, err := os.ReadFile(filepath.Join(dir, "p.png"))
	require.NoError(t, err)
	assert.Equal(t, "\x89PNG", string(b[:4]))
}

func TestTheCommandDoesNotTellWhereResultsGo(t *testing.T) {
	assert.Equal(t, []string{"-short", "-seed", "2"}, withoutOut([]string{"-out", "/secret", "-short", "-out=/secret", "-seed", "2"}))
}

func TestTheFirstErrorEndsTheOtherCases(t *testing.T) {
	env := NewEnv("", 2, &bytes.Buffer{})
	first := errors.New("first")
	_, err := Each(t.Context(), env, []bool{true, false}, func(ctx context.Context, fails bool) (int, error) {
		if fails {
			return 0, first
		}
		<-ctx.Done()
		return 0, nil
	})
	require.ErrorIs(t, err, first)
}

func TestARunThatIsCutOffKeepsWhatHasEnded(t *testing.T) {
	dir := t.TempDir()
	ctx, kill := context.WithCancel(t.Context())
	all := []Bench{
		{Name: "a", Group: "g", Alone: true, Run: func(context.Context, *Env) (*Report, error) { return &Report{}, nil }},
		{Name: "b", Group: "g", Alone: true, Run: func(context.Context, *Env) (*Report, error) {
			kill()
			return &Report{}, nil
		}},
	}
	var out bytes.Buffer
	require.ErrorIs(t, runChosen(ctx, NewEnv("", 1, &out), dir, nil, &out, all, all), context.Canceled)
	kept, err := read(filepath.Join(dir, "bench", "g.json"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	assert.Equal(t, "a", kept[0].Bench)
}
