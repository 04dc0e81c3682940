package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/checkout"
)

func benches() []Bench {
	return []Bench{{Name: "a", Group: "g"}, {Name: "b", Group: "g"}, {Name: "long", Group: "g", Extra: true}}
}

func TestBenchmarksAreChosenByName(t *testing.T) {
	names := func(only string) string {
		chosen, err := choose(benches(), Options{only: only})
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
	assert.Equal(t, "a long", names("long, a"), "in the order of the list")
	assert.Contains(t, names("c"), "no benchmark")
}

func TestABrokenPromiseAndWhatCannotBeMeasuredEndWithAnError(t *testing.T) {
	kept := &Report{}
	kept.Promise(true, "kept")
	broken := &Report{}
	broken.Promise(false, "%d users lost", 3)
	broken.Target(false, "slow")
	var out bytes.Buffer
	err := conclude(&out, "", "g", Result{Bench: "b", Report: *broken}, benches())
	require.EqualError(t, err, "b: broken: 3 users lost")
	assert.Contains(t, out.String(), "MISSED: slow")
	require.NoError(t, conclude(&out, "", "g", Result{Bench: "a", Report: *kept}, benches()), "a missed target is no error")
	fails := []Bench{{Name: "a", Run: func(context.Context, *Env) (*Report, error) { return nil, errors.New("no server") }}}
	err = runChosen(t.Context(), NewEnv("", Options{Parallel: 1}, &out), nil, &out, fails, fails)
	require.EqualError(t, err, "a cannot be measured: no server")
}

func TestResultsReplaceThoseOfTheSameBenchmark(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	for i, bench := range []string{"b", "long", "gone", "a", "b"} {
		require.NoError(t, conclude(&out, dir, "g", Result{Bench: bench, Seed: uint64(i)}, append(benches(), Bench{Name: "gone"})))
	}
	require.NoError(t, conclude(&out, dir, "g", Result{Bench: "a", Seed: 5}, benches()))
	b, err := os.ReadFile(filepath.Join(dir, "bench", "g.json"))
	require.NoError(t, err)
	var all []Result
	require.NoError(t, json.Unmarshal(b, &all))
	var got []string
	for _, r := range all {
		got = append(got, r.Bench+string(rune('0'+r.Seed)))
	}
	assert.Equal(t, []string{"a5", "b4", "long1"}, got)
}

func TestCurvesBecomeAPicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pictures", "p.png")
	require.NoError(t, draw(file, []Result{{}}))
	require.NoFileExists(t, file, "there is nothing to draw")
	require.NoError(t, draw(file, []Result{{Report: Report{Series: []Series{
		{Name: "ours", Step: 1, Y: []float64{1, 2, 3}}, {Name: "the limit", Step: 2, Y: []float64{3, 3}},
	}}}}))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "\x89PNG", string(b[:4]))
}

func TestAnOlderBuildIsMeasuredWhereThatIsPossible(t *testing.T) {
	all := append(benches(), Bench{Name: "both", Group: "g", Against: true})
	chosen, err := choose(all, Options{Against: "v1"})
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	assert.Equal(t, "both", chosen[0].Name)
	_, err = choose(all, Options{Against: "v1", only: "a"})
	require.Error(t, err, "nothing would be measured")
}

func TestRatiosAgainstAnOlderBuildFillOneTable(t *testing.T) {
	out := t.TempDir()
	page := filepath.Join(out, "operations", "performance.md")
	require.NoError(t, os.MkdirAll(filepath.Dir(page), 0o750))
	require.NoError(t, os.WriteFile(page, []byte("<!-- a:begin -->\n<!-- a:end -->\n<!-- c:begin -->\nkept\n<!-- c:end -->\n<!-- against:begin -->\n<!-- against:end -->\n"), 0o600))
	for _, name := range []string{"a", "b"} {
		r := Result{Bench: name, Against: "v1"}
		r.Compare("rate of "+name, "build v1", pairs(20, 2), Target{})
		r.Compare("rate of "+name, "a floor", pairs(20, 3), Target{})
		r.Tables = []Table{{Title: "all of " + name}}
		require.NoError(t, conclude(&bytes.Buffer{}, out, against, r, benches()))
	}
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(b), "kept")
	assert.Contains(t, string(b), "all of a", "its own block is from the same run")
	assert.Contains(t, string(b), "| rate of a | 2.00 (2.00 to 2.00) | 20 |\n| rate of b |")
}

func TestTheCommandDoesNotTellWhereFilesGo(t *testing.T) {
	assert.Equal(t, []string{"-short", "-seed", "2"}, withoutFolders([]string{"-out", "/secret", "-short", "-out=/secret", "-profile", "/secret", "-seed", "2"}))
}

func TestTheFirstErrorEndsTheOtherCases(t *testing.T) {
	env := NewEnv("", Options{Parallel: 2}, &bytes.Buffer{})
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
		{Name: "a", Group: "g", Run: func(context.Context, *Env) (*Report, error) { return &Report{}, nil }},
		{Name: "b", Group: "g", Run: func(context.Context, *Env) (*Report, error) {
			kill()
			return &Report{}, nil
		}},
	}
	var out bytes.Buffer
	require.ErrorIs(t, runChosen(ctx, NewEnv("", Options{Parallel: 1, out: dir}, &out), nil, &out, all, all), context.Canceled)
	kept, err := read(filepath.Join(dir, "bench", "g.json"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	assert.Equal(t, "a", kept[0].Bench)
}

func TestTheOlderBuildIsTheRevisionThatIsNamed(t *testing.T) {
	repository, dir := t.TempDir(), filepath.Join(t.TempDir(), "source")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", repository, "-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	git("init", "-q")
	for _, text := range []string{"old", "new"} {
		require.NoError(t, os.WriteFile(filepath.Join(repository, "file"), []byte(text), 0o600))
		git("add", "file")
		git("commit", "-q", "-m", text)
	}
	require.NoError(t, checkout.At(t.Context(), repository, "HEAD~1", dir))
	b, err := os.ReadFile(filepath.Join(dir, "file"))
	require.NoError(t, err)
	assert.Equal(t, "old", string(b))
	require.ErrorContains(t, checkout.At(t.Context(), repository, "no-such-revision", dir), "a clone with its history is needed")
}
