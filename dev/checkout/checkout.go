// Package checkout makes copies of this repository for tests that change or build a whole tree.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"didit-temporal/dev/procs"
)

// ErrNoCommit says that the repository does not have a commit, as a shallow clone lacks old ones.
var ErrNoCommit = errors.New("this clone lacks the commit: a clone with its history is needed (git fetch --unshallow)")

// Copy copies the tracked files of the repository around the working directory, as they are in the working tree, into dir
// and commits them there. Two copies of the same files are the same commit.
func Copy(ctx context.Context, dir string) error {
	root, err := Git(ctx, ".", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	tracked, err := Git(ctx, root, "ls-files", "-z")
	if err != nil {
		return err
	}
	for file := range strings.SplitSeq(strings.Trim(tracked, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, file), filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "copy"}} {
		if _, err := Git(ctx, dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// At extracts the files of a revision of the repository root, which need not be a branch or a tag, into dir.
func At(ctx context.Context, root, revision, dir string) error {
	commit, err := Git(ctx, root, "rev-parse", "--verify", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return fmt.Errorf("check out %s: %w", revision, ErrNoCommit)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	files := filepath.Join(dir, ".files.tar")
	if _, err := Git(ctx, root, "archive", "-o", files, commit); err != nil {
		return err
	}
	_, err = procs.Output(ctx, dir, nil, "tar", "-xf", files)
	return errors.Join(err, os.Remove(files))
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) { // deleted, and not yet committed
		return nil
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from) //nolint:gosec // G304: a file of this repository
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm()) //nolint:gosec // G703: git names the files
}

// Git runs git in a folder and returns what it prints.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	// A clone in CI may belong to another user, and a machine need not know who commits.
	ours := []string{"-c", "safe.directory=*", "-c", "user.name=copy", "-c", "user.email=copy@invalid", "-c", "commit.gpgsign=false"}
	dates := []string{"GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z"}
	return procs.Output(ctx, dir, dates, "git", append(ours, args...)...)
}
