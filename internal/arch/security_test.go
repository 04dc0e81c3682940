package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	namedProof = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")
	isProof    = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)\(`)
	namedBound = regexp.MustCompile("\\| `([a-z/]+\\.go)` \\| `([^`]+)` \\|")
)

// An auditor checks what a page names: each proof must be there and be run by make audit, and each bound be as the page
// has it.
func TestTheSecurityPageIsTrue(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	require.NoError(t, err)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	_, audit, _ := strings.Cut(string(makefile), "\naudit: build-dev")
	audit, _, _ = strings.Cut(audit, ".PHONY")
	require.Contains(t, audit, "go test -count=1 ./...")
	proofs := map[string]bool{} // those that make audit runs
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		folder, ofDev := strings.CutPrefix(filepath.ToSlash(filepath.Dir(path)), "../../dev")
		if ofDev && !strings.Contains(audit, " ."+folder) {
			return err
		}
		for _, m := range isProof.FindAllStringSubmatch(string(text), -1) {
			proofs[m[1]] = true
		}
		return err
	}))
	named := namedProof.FindAllStringSubmatch(string(page), -1)
	assert.Greater(t, len(named), 40)
	for _, m := range named {
		assert.True(t, proofs[m[1]], "%s is named, and make audit does not run it", m[1])
	}
	bounds := namedBound.FindAllStringSubmatch(string(page), -1)
	assert.Greater(t, len(bounds), 10)
	for _, m := range bounds {
		text, err := os.ReadFile(filepath.Join(root, m[1]))
		if assert.NoError(t, err) {
			assert.Contains(t, oneSpace(string(text)), oneSpace(m[2]), m[1])
		}
	}
}

// oneSpace undoes gofmt's alignment.
func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }
