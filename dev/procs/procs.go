// Package procs runs our programs as the processes that they are in production: built as `make build` does, started
// again whenever they end, and killed where a test or a benchmark wants to see what that does.
package procs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// Build leaves packages of the root module, such as "./worker", in dir.
func Build(ctx context.Context, dir string, packages ...string) error {
	dev, err := devModule(ctx)
	if err != nil {
		return err
	}
	return build(ctx, filepath.Dir(dev), dir, packages...)
}

// BuildDev is Build for packages of the module dev.
func BuildDev(ctx context.Context, dir string, packages ...string) error {
	dev, err := devModule(ctx)
	if err != nil {
		return err
	}
	return build(ctx, dev, dir, packages...)
}

// devModule is the folder of the module that the caller is started in, which is dev.
func devModule(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// build takes none of the flags of a test run: -race and -cover would build other programs than production's.
func build(ctx context.Context, module, dir string, packages ...string) error {
	args := append([]string{"build", "-C", module, "-o", dir + string(filepath.Separator)}, packages...)
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
