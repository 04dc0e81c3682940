package tserver

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

// program finds the server beside the running program, where make puts both, or builds it.
func program(ctx context.Context) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "temporal")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	return build(ctx)
}

// build leaves the server, which is a module of its own, in bin/ of the module that the tests are in. The go command redoes only
// what is out of date, so that a second call costs a second; the first one on a machine costs minutes.
func build(ctx context.Context) (string, error) {
	gomod, err := goCommand(ctx, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(gomod), "bin")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock")) // test packages run in parallel
	if err != nil {
		return "", fmt.Errorf("wait for another build: %w", err)
	}
	defer unlock()
	bin := filepath.Join(dir, "temporal")
	if _, err := goCommand(ctx, "-C", filepath.Join(filepath.Dir(gomod), "temporal"), "build", "-o", bin, "."); err != nil {
		return "", err
	}
	return bin, nil
}

// goCommand runs it without the flags of the test run: -race and -cover would build the server anew.
func goCommand(ctx context.Context, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the arguments are ours
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), errors.Join(context.Cause(ctx), err), &stderr)
	}
	return strings.TrimSpace(string(out)), err
}
