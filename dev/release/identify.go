package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"didit-temporal/dev/checkout"
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
	r.revision, err = checkout.Git(ctx, r.root, "describe", "--always", "--abbrev=40", "--dirty", "--exclude", "*")
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
	out, err := checkout.Git(ctx, r.root, append([]string{"ls-files", "-z", "--"}, published...)...)
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 }), err
}
