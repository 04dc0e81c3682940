package run

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/bench/ratio"
)

func pairs(n int, values ...float64) *ratio.Pairs {
	p := &ratio.Pairs{}
	for i := range n {
		p.Add(values[i%len(values)], 1)
	}
	return p
}

func TestTheEndOfTheIntervalThatSpeaksAgainstUsDecides(t *testing.T) {
	for name, tc := range map[string]struct {
		p       *ratio.Pairs
		target  Target
		verdict string
	}{
		"below what is allowed":   {pairs(20, 1.1), AtMost(1.2), "reached"},
		"above what is allowed":   {pairs(20, 1.3), AtMost(1.2), "missed"},
		"about what is allowed":   {pairs(20, 1.1, 1.3), AtMost(1.2), "not shown"},
		"more than what is asked": {pairs(20, 1), AtLeast(0.95), "reached"},
		"less than what is asked": {pairs(20, 0.9), AtLeast(0.95), "missed"},
		"about what is asked":     {pairs(20, 0.9, 1), AtLeast(0.95), "not shown"},
		"too few pairs":           {pairs(19, 1), AtLeast(0.95), "not judged"},
		"no target":               {pairs(20, 1), Target{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{}
			assert.Equal(t, tc.verdict, r.Compare("x", "y", tc.p, tc.target).Verdict())
			assert.Equal(t, tc.verdict == "missed" || tc.verdict == "not shown", len(r.Missed) == 1)
		})
	}
}

func TestTablesGoBetweenTheirMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "g.md")
	require.NoError(t, fillPage(file, Result{}), "no page is no fault")
	require.NoError(t, os.WriteFile(file, []byte("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n"), 0o600))
	x := Result{Bench: "x", Command: "go run", Report: Report{Tables: []Table{{Title: "T", Columns: []string{"p|q"}, Rows: [][]string{{"1"}}}}}}
	require.NoError(t, fillPage(file, x))
	require.NoError(t, fillPage(file, Result{Bench: "y"}), "one without marks")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(b), "old")
	assert.Contains(t, string(b), "T:\n\n| p\\|q |\n|---|\n| 1 |\n")
	assert.Contains(t, string(b), "<!-- x:end -->\nb\n")
	require.NoError(t, os.WriteFile(file, []byte("<!-- x:begin -->\n"), 0o600))
	require.Error(t, fillPage(file, x), "the end of a mark is missing")
}
