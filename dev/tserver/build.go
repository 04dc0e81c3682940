package tserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"didit-temporal/dev/procs"
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

// build leaves the server, which is a module of its own, in dev/bin. The go command redoes only
// what is out of date, so that a second call costs a second; the first one on a machine costs minutes.
func build(ctx context.Context) (string, error) {
	root, err := procs.Root(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "dev", "bin")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, filepath.Join(dir, ".lock")) // test packages run in parallel
	if err != nil {
		return "", fmt.Errorf("wait for another build: %w", err)
	}
	defer unlock()
	bin := filepath.Join(dir, "temporal")
	// Without the flags of the test run: -race and -cover would build the server anew.
	flags := []string{"GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0"}
	_, err = procs.Output(ctx, filepath.Join(root, "dev", "temporal"), flags, "go", "build", "-o", bin, ".")
	return bin, err
}
