package skip

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsSkippedIsListedAndFailsWhereItMustNotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bin", "skipped")
	t.Setenv("SKIPPED", file)
	t.Setenv("STRICT", "")
	require.NoError(t, Report("TestA: no nginx"))
	require.NoError(t, Report("TestB: no npm"))
	listed, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "TestA: no nginx\nTestB: no npm\n", string(listed))

	t.Setenv("STRICT", "1")
	require.ErrorContains(t, Report("TestA: no nginx"), "no nginx")
	t.Setenv("SKIPPED", "")
	t.Setenv("STRICT", "")
	require.NoError(t, Report("TestA: no nginx"))
}
