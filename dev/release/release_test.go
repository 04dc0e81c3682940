package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/checkout"
	"didit-temporal/dev/skip"
)

func TestTheNewestVersionOfTheChangelogIsReleased(t *testing.T) {
	version, date, err := newest("# Changelog\n\n## [Unreleased]\n\n- x\n\n## [1.2.3] - 2026-02-01\n\n## [1.2.2] - 2026-01-01\n")
	require.NoError(t, err)
	require.Equal(t, "1.2.3", version)
	require.Equal(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), date)
	_, _, err = newest("## Unreleased\n")
	require.ErrorContains(t, err, "names no version")
}

// The second build has a folder and a build cache of its own, so that nothing of the first is in it.
func TestTwoFoldersGiveTheSameBytes(t *testing.T) {
	skip.Long(t)
	first := releaseOf(t, "")
	second := releaseOf(t, t.TempDir())
	require.Len(t, strings.Split(strings.TrimSpace(first.sums), "\n"), 4)
	require.Equal(t, first.sums, second.sums)
}

func TestAReleaseIsWhatItSays(t *testing.T) {
	skip.Long(t)
	first := releaseOf(t, "")
	t.Run("the binary names version and commit", first.namesItself)
	t.Run("the bill of materials is what is linked", first.bills)
	t.Run("the image holds the program and roots", first.images)
}

// made is a release of a copy of this tree.
type made struct {
	dir, out, sums string
}

// releaseOf runs make release in a copy of this tree. cache is a build cache; empty: the usual one.
func releaseOf(t *testing.T, cache string) made {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, checkout.Copy(t.Context(), dir))
	cmd := exec.CommandContext(t.Context(), "make", "release", "ARGS=-only linux/"+runtime.GOARCH)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+cache)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	m := made{dir: dir, out: filepath.Join(dir, "bin", "release")}
	sums, err := os.ReadFile(filepath.Join(m.out, "SHA256SUMS"))
	require.NoError(t, err)
	m.sums = string(sums)
	return m
}

// file is the one whose name ends so.
func (m made) file(t *testing.T, suffix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(m.out, "kyc_*_"+suffix))
	require.NoError(t, err)
	require.Len(t, found, 1, suffix)
	return found[0]
}

// unpack extracts a tar and returns the folder.
func unpack(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "tar", "-xf", file, "-C", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

func (m made) namesItself(t *testing.T) {
	revision, err := checkout.Git(t.Context(), m.dir, "rev-parse", "HEAD")
	require.NoError(t, err)
	kyc := filepath.Join(m.unpackArchive(t), "kyc")
	out, err := exec.CommandContext(t.Context(), kyc, "--version").Output()
	require.NoError(t, err)
	require.Regexp(t, `^kyc version v\d+\.\d+\.\d+, revision `+revision+`, go`, string(out))
}

// unpackArchive returns the folder that an archive has.
func (m made) unpackArchive(t *testing.T) string {
	t.Helper()
	file := m.file(t, "linux_"+runtime.GOARCH+".tar.gz")
	return filepath.Join(unpack(t, file), strings.TrimSuffix(filepath.Base(file), ".tar.gz"))
}

func (m made) bills(t *testing.T) {
	text, err := os.ReadFile(m.file(t, "linux_"+runtime.GOARCH+".cdx.json"))
	require.NoError(t, err)
	var bill struct {
		Components []struct{ Name, Version string }
	}
	require.NoError(t, json.Unmarshal(text, &bill))
	listed := map[string]string{}
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
	}
	packages, err := os.ReadFile(filepath.Join(m.dir, "docs", "packages", "kyc.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, listed["go.temporal.io/sdk"])
	for line := range strings.Lines(string(packages)) {
		if _, module, found := strings.Cut(strings.TrimSpace(line), " "); found {
			name, version, _ := strings.Cut(module, " ")
			require.Equal(t, version, listed[name], name)
		}
	}
}

func (m made) images(t *testing.T) {
	for name, program := range map[string]string{"image.tar": "kyc", "image-simulator.tar": "diditsim"} {
		t.Run(name, func(t *testing.T) { checkImage(t, m.file(t, name), program) })
	}
}

// checkImage runs what an image holds, outside of a container.
func checkImage(t *testing.T, file, program string) {
	t.Helper()
	img := readImage(t, file)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, []string{"/" + program}, config.Config.Entrypoint)

	root := t.TempDir()
	tar := exec.CommandContext(t.Context(), "tar", "-x", "-C", root)
	tar.Stdin = mutate.Extract(img)
	out, err := tar.CombinedOutput()
	require.NoError(t, err, "%s", out)
	pem, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(pem), "BEGIN CERTIFICATE"), 50)
	for _, name := range []string{program, "kyc"} { // kyc is the health check of every image
		out, err := exec.CommandContext(t.Context(), filepath.Join(root, name), "--help").CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

// readImage reads the image for this processor, as a registry or an engine does.
func readImage(t *testing.T, file string) v1.Image {
	t.Helper()
	all, err := layout.ImageIndexFromPath(unpack(t, file))
	require.NoError(t, err)
	require.NoError(t, validate.Index(all))
	names, err := all.IndexManifest()
	require.NoError(t, err)
	require.Len(t, names.Manifests, 1)
	index, err := all.ImageIndex(names.Manifests[0].Digest)
	require.NoError(t, err)
	platforms, err := partial.FindImages(index, match.Platforms(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	require.NoError(t, err)
	require.Len(t, platforms, 1)
	return platforms[0]
}
