package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// heading is that of a version in the changelog, which is the one place that names the version and its date.
var heading = regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$`)

// identify reads which version this is, and of which commit.
func (r *release) identify(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if r.version, r.date, err = newest(string(text)); err != nil {
		return err
	}
	// A tree with changes is named as such. Tags are left out: they would name the commit in another way.
	r.revision, err = r.git(ctx, "describe", "--always", "--abbrev=40", "--dirty", "--exclude", "*")
	return err
}

func newest(changelog string) (version string, date time.Time, err error) {
	m := heading.FindStringSubmatch(changelog)
	if m == nil {
		return "", date, errors.New(`CHANGELOG.md names no version: it needs a heading such as "## [0.1.0] - 2026-01-31"`)
	}
	date, err = time.Parse(time.DateOnly, m[2])
	return m[1], date, err
}

// published is what an archive holds beside the binaries.
var published = []string{
	".env.example", "CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "SECURITY.md", "deploy", "docker-compose.yml",
	"docker-compose.second.yml", "docs",
}

// files lists what git tracks of them, so that a database or a key that lies there is not published.
func (r *release) files(ctx context.Context) ([]string, error) {
	out, err := r.git(ctx, append([]string{"ls-files", "-z", "--"}, published...)...)
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 }), err
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	// A clone in CI may belong to another user.
	return command(ctx, r.root, nil, "git", append([]string{"-c", "safe.directory=*"}, args...)...)
}

// command runs a program and returns what it printed.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the arguments are ours
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, args[0], errors.Join(context.Cause(ctx), err), &stderr)
	}
	return strings.TrimSpace(string(out)), err
}
