package arch_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

func production(t *testing.T) []source {
	t.Helper()
	files, err := load(os.DirFS(root))
	require.NoError(t, err)
	require.NotEmpty(t, files, "nothing to check: is this the root?")
	return files
}

func TestImports(t *testing.T) {
	for _, fault := range checkImports(production(t), table) {
		t.Error(fault)
	}
}

func TestSizes(t *testing.T) {
	for _, fault := range checkSizes(production(t), exceptions) {
		t.Error(fault)
	}
}

func TestModule(t *testing.T) {
	mod, err := os.ReadFile(root + "/go.mod")
	require.NoError(t, err)
	for _, fault := range checkMod(string(mod)) {
		t.Error(fault)
	}
	assert.NoFileExists(t, root+"/go.work", "a workspace silently builds production with dev's versions")
}

// The rows themselves: an arrow to a package that has no row would be a way round the table.
func TestTableIsClosed(t *testing.T) {
	for dir, r := range table {
		for _, own := range r.own {
			assert.Contains(t, table, own, "row %q", dir)
			assert.NotContains(t, table[own].own, dir, "%q and %q import each other", dir, own)
		}
	}
}
