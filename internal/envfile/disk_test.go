package envfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/envfile"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestANewFileIsPrivate(t *testing.T) {
	f, err := envfile.Load(filepath.Join(t.TempDir(), ".env"))
	require.NoError(t, err)
	assert.Empty(t, f.Environ())
	require.NoError(t, f.Set("KEY", "x"))
	require.NoError(t, f.Save())
	assert.Equal(t, fs.FileMode(0o600), mode(t, f.Path()))
	left, err := os.ReadDir(filepath.Dir(f.Path()))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file stays")
}

func TestAFileThatOthersReadIsMadePrivate(t *testing.T) {
	f := at(t, "KEY=x\n")
	require.NoError(t, os.Chmod(f.Path(), 0o644))
	f, err := envfile.Load(f.Path())
	require.NoError(t, err)
	assert.True(t, f.Shared())
	assert.Equal(t, fs.FileMode(0o644), f.Mode())
	require.NoError(t, f.Save(), "although nothing has changed")
	assert.Equal(t, fs.FileMode(0o600), mode(t, f.Path()))
	assert.False(t, f.Shared())
}

func TestLinksAndFoldersAreRefused(t *testing.T) {
	f := at(t, "KEY=x\n")
	link := filepath.Join(t.TempDir(), ".env")
	require.NoError(t, os.Symlink(f.Path(), link))
	_, err := envfile.Load(link)
	require.ErrorContains(t, err, "is a symbolic link")
	_, err = envfile.Load(t.TempDir())
	require.ErrorContains(t, err, "is not a file")
}

func TestALinkThatAppearsLaterIsRefusedToo(t *testing.T) {
	f := at(t, "KEY=x\n")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.WriteFile(elsewhere, []byte("KEY=x\n"), 0o600))
	require.NoError(t, os.Remove(f.Path()))
	require.NoError(t, os.Symlink(elsewhere, f.Path()))
	require.NoError(t, f.Set("KEY", "y"))
	require.ErrorContains(t, f.Save(), "is a symbolic link")
}

func TestAConcurrentChangeIsNotLost(t *testing.T) {
	f := at(t, "KEY=x\n")
	require.NoError(t, os.WriteFile(f.Path(), []byte("KEY=theirs\n"), 0o600))
	require.NoError(t, f.Set("KEY", "ours"))
	require.ErrorContains(t, f.Save(), "changed by another program")
	got, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	assert.Equal(t, "KEY=theirs\n", string(got))
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	f := at(t, "KEY=x\n")
	require.NoError(t, os.Chmod(filepath.Dir(f.Path()), 0o500))
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(f.Path()), 0o700) })
	require.NoError(t, f.Set("KEY", "y"))
	require.ErrorContains(t, f.Save(), "write the env file")
	got, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	assert.Equal(t, "KEY=x\n", string(got))
}
