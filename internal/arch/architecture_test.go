package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	stepRow = regexp.MustCompile("(?m)\\| `([A-Za-z]+)` \\| `([a-z_/]+\\.go)` \\|$")
	goFile  = regexp.MustCompile("`([a-z_/]+\\.go)`")
)

// docs/architecture.md leads a reader to functions and files: each of them exists.
func TestTheArchitecturePageNamesWhatExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	require.NoError(t, err)
	steps := stepRow.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(steps), 20, "the tables have another form")
	for _, m := range steps {
		assert.True(t, declares(t, m[2], m[1]), "%s has no function %s", m[2], m[1])
	}
	for _, m := range goFile.FindAllStringSubmatch(string(text), -1) {
		assert.FileExists(t, filepath.Join(root, m[1]))
	}
	assert.False(t, declares(t, "kyc/deliver.go", "NoSuchFunction"), "the control")
}

func declares(t *testing.T, file, function string) bool {
	t.Helper()
	code, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + function + `\(`).Match(code)
}
