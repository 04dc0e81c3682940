package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/postgres"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
)

// A machine with Temporal on PostgreSQL and an archive, and nothing else of ours: the page in the archive leads to a
// verified user. Only its ports are replaced by free ones.
func TestTheQuickstartWorksFromTheArchiveAlone(t *testing.T) {
	skip.Long(t)
	db, err := postgres.Start(t.Context())
	if err != nil {
		skip.Missing(t, err.Error())
	}
	t.Cleanup(db.Close)
	server := tserver.Run(t, tserver.Options{Postgres: db.Address})
	archive := releaseOf(t, "").file(t, "linux_"+runtime.GOARCH+".tar.gz")

	folder := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
	page, err := os.ReadFile(filepath.Join(unpack(t, archive), folder, "docs", "quickstart.md"))
	require.NoError(t, err)
	script := strings.NewReplacer(
		"kyc_0.1.0_linux_amd64", folder, "127.0.0.1:7233", server.Address,
		"127.0.0.1:8090", harness.Address(t), "127.0.0.1:8080", harness.Address(t), "127.0.0.1:8081", harness.Address(t),
	).Replace(block(t, string(page)))

	dir := t.TempDir()
	require.NoError(t, os.Rename(archive, filepath.Join(dir, filepath.Base(archive))))
	log := follow(t, dir, script)
	var verified struct{ Outcome string }
	text, err := os.ReadFile(filepath.Join(dir, folder, "verified.json"))
	require.NoError(t, err, log)
	require.NoError(t, json.Unmarshal(text, &verified), "%s\n%s", text, log)
	require.Equal(t, "approved", verified.Outcome, log)
	require.Contains(t, log, "outcome   approved")
}

// block is the code between the marks of a page.
func block(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "<!-- release:begin -->\n```sh\n")
	require.True(t, found)
	code, _, found := strings.Cut(rest, "```\n<!-- release:end -->")
	require.True(t, found)
	return code
}

// follow runs a script as a person types it, in an environment without Go, and ends what it started.
func follow(t *testing.T, dir, script string) (log string) {
	t.Helper()
	file := filepath.Join(dir, "log")
	out, err := os.Create(file)
	require.NoError(t, err)
	defer func() { _ = out.Close() }()
	// Of the group that it leads, bash ends what is left.
	cmd := exec.CommandContext(harness.Within(t, 5*time.Minute), "bash", "-e", "-c", "trap 'trap - TERM; kill 0' EXIT\n"+script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "METRICS_ADDR=off", "LOG_LEVEL=warn"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = cmd.Run() // it ends with its own signal; what it left behind counts
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
