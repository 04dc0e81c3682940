// Package checkout makes copies of this repository for tests that change or build a whole tree.
package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoCommit says that the repository does not have a commit, as a shallow clone lacks old ones.
var ErrNoCommit = errors.New("this clone does not have the commit: git fetch --unshallow")

// Root is the repository that the caller's working directory is in.
func Root(ctx context.Context) (string, error) {
	return Git(ctx, ".", "rev-parse", "--show-toplevel")
}

// Copy copies the tracked files, as they are in the working tree, into dir and commits them there. Two copies of the
// same files are the same commit.
func Copy(ctx context.Context, dir string) error {
	root, err := Root(ctx)
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

// At extracts the files of a commit into dir.
func At(ctx context.Context, commit, dir string) error {
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	if _, err := Git(ctx, root, "cat-file", "-e", commit+"^{commit}"); err != nil {
		return fmt.Errorf("%w (%s)", ErrNoCommit, commit)
	}
	files := filepath.Join(dir, ".files.tar")
	if _, err := Git(ctx, root, "archive", "-o", files, commit); err != nil {
		return err
	}
	_, err = run(ctx, dir, "tar", "-xf", files)
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
	return run(ctx, dir, "git", append([]string{
		"-c", "safe.directory=*", "-c", "user.name=copy", "-c", "user.email=copy@invalid", "-c", "commit.gpgsign=false",
	}, args...)...)
}

func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the arguments are ours
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z")
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), errors.Join(context.Cause(ctx), err), &stderr)
	}
	return strings.TrimSpace(string(out)), err
}
