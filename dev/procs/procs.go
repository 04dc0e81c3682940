// Package procs runs our programs as the processes that they are in production: built as `make build` does, started
// again whenever they end, and killed where a test or a benchmark wants to see what that does.
package procs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Root is the folder of the root module; the caller is started in dev.
func Root(ctx context.Context) (string, error) {
	gomod, err := Output(ctx, "", nil, "go", "env", "GOMOD")
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(filepath.Dir(gomod)), nil
}

// Output runs a command in a folder, empty for our own, with more environment, and returns what it prints. Its error has what
// the command complains about.
func Output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the arguments are ours
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), errors.Join(context.Cause(ctx), err), &stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// Build leaves packages of a module, such as "./worker" of the root module, in dir. It takes more flags of go build's, and
// none of a test run: -race and -cover would build other programs than production's.
func Build(ctx context.Context, module, dir string, flags []string, packages ...string) error {
	args := slices.Concat([]string{"build", "-C", module, "-o", dir + string(filepath.Separator)}, flags, packages)
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the arguments are ours
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false -tags=nomsgpack,grpcnotrace", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(packages, " "), errors.Join(context.Cause(ctx), err), out)
	}
	return nil
}

// launches are run one after the other on a thread that lives as long as this process: the kernel signals the
// death of that thread to what they start.
var launches = sync.OnceValue(func() chan<- func() {
	c := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range c {
			f()
		}
	}()
	return c
})

// Start starts a command that the kernel kills when this process dies, where it can.
func Start(cmd *exec.Cmd) error {
	lease(cmd)
	started := make(chan error, 1)
	launches() <- func() { started <- cmd.Start() }
	return <-started
}
