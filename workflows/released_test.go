package workflows_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a release has recorded stays as it is: a history that is replaced or deleted would hide that open runs of that
// release no longer replay.
func TestHistoriesOfReleasesAreKept(t *testing.T) {
	versions := releasedVersions(t)
	require.NotEmpty(t, versions)
	for _, version := range versions {
		list, err := os.ReadFile(filepath.Join("testdata", "released", version+".txt"))
		require.NoError(t, err, "make freeze lists the histories of a release")
		assert.Empty(t, changed(t, string(list)), "histories of %s that are changed or gone", version)
	}
}

func TestAChangedHistoryIsFound(t *testing.T) {
	gone := strings.Repeat("0", 64) + "  gone.json\n"
	other := strings.Repeat("0", 64) + "  approved.json\n"
	assert.Equal(t, []string{"gone.json", "approved.json"}, changed(t, gone+other))
}

// releasedVersions reads the changelog.
func releasedVersions(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\]`).FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	return all
}

// changed returns the files of a list, as sha256sum writes it, that have other contents now.
func changed(t *testing.T, list string) (all []string) {
	t.Helper()
	for line := range strings.Lines(list) {
		want, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		require.True(t, found, line)
		content, _ := os.ReadFile(filepath.Join("testdata", "history", name)) // gone is changed too
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			all = append(all, name)
		}
	}
	return all
}
