package envfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/envfile"
)

// at writes content to a file and loads it.
func at(t *testing.T, content string) *envfile.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	f, err := envfile.Load(path)
	require.NoError(t, err)
	return f
}

func TestValuesAreReadAsAShellReadsThem(t *testing.T) {
	f := at(t, "A=plain\nexport B=exported\n  C=indented\nD='single # quoted' # why\nE=\"double \\\"x\\\" \\$y\"\nF=with space # comment\n"+
		"G=a#b\nH=\nI= # nothing\n#J=off\nnot an assignment\nA=last\r\nK=k=v==")
	for name, want := range map[string]string{
		"A": "last", "B": "exported", "C": "indented", "D": "single # quoted", "E": `double "x" $y`, "F": "with space", "G": "a#b", "H": "", "I": "", "K": "k=v==",
	} {
		got, set := f.Lookup(name)
		assert.True(t, set, name)
		assert.Equal(t, want, got, name)
	}
	_, set := f.Lookup("J")
	assert.False(t, set, "a comment sets nothing")
	assert.Equal(t, []string{"A=plain", "B=exported"}, f.Environ()[:2])
}

func TestALineThatSetsNothingIsFound(t *testing.T) {
	assert.Zero(t, at(t, "# a\n\n  \nexport A=b\r\n").Unreadable())
	assert.Equal(t, 2, at(t, "A=b\nA = b\nnothing\n").Unreadable())
}

func TestWhatWouldBeReadOtherwiseIsRefused(t *testing.T) {
	for _, content := range []string{"A='hunter2\nhunter3'\n", "A=\"hunter2\n", "A='hunter2'hunter3\n", "OK=1\nA=\"hunter2\" hunter3\n"} {
		path := filepath.Join(t.TempDir(), ".env")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := envfile.Load(path)
		require.ErrorContains(t, err, "line ")
		assert.NotContains(t, err.Error(), "hunter")
	}
}

func TestOnlyTheValueChanges(t *testing.T) {
	for name, tc := range map[string]struct{ before, after string }{
		"an empty file":              {"", "KEY=new\n"},
		"in place":                   {"# mine\nKEY=old\nOTHER=x # kept\n", "# mine\nKEY=new\nOTHER=x # kept\n"},
		"the one that counts":        {"KEY=first\nKEY=old\n", "KEY=first\nKEY=new\n"},
		"a line break that is amiss": {"OTHER=x", "OTHER=x\nKEY=new\n"},
		"exported and indented":      {"  export KEY='old'\n", "  export KEY=new\n"},
		"breaks of another system":   {"OTHER=x\r\nKEY=old\r\n", "OTHER=x\r\nKEY=new\r\n"},
		"added with such breaks":     {"OTHER=x\r\n", "OTHER=x\r\nKEY=new\r\n"},
		"a comment that looks alike": {"#KEY=old\n", "#KEY=old\nKEY=new\n"},
		"the same value, quoted":     {"KEY=\"new\" # as it was\n", "KEY=\"new\" # as it was\n"},
		"a name that begins alike":   {"KEY_FILE=x\n", "KEY_FILE=x\nKEY=new\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := at(t, tc.before)
			require.NoError(t, f.Set("KEY", "new"))
			require.NoError(t, f.Save())
			got, err := os.ReadFile(f.Path())
			require.NoError(t, err)
			assert.Equal(t, tc.after, string(got))
		})
	}
}

func TestValuesComeBack(t *testing.T) {
	f := at(t, "")
	for _, value := range []string{"", "a,b", "with space", "$HOME `x` \\", `a"b`, "#hash", "ümlaut"} {
		require.NoError(t, f.Set("KEY", value))
		require.NoError(t, f.Save())
		again, err := envfile.Load(f.Path())
		require.NoError(t, err)
		assert.Equal(t, value, again.Get("KEY"))
	}
	require.ErrorContains(t, f.Set("KEY", "hunter2\nEVIL=1"), "line break")
	require.ErrorContains(t, f.Set("KEY", "hunter'2"), "a quote")
	require.Error(t, f.Set("no name", "x"))
}
