// Package procs runs our programs as the processes that they are in production: built as `make build` does, started
// again whenever they end, and killed where a test or a benchmark wants to see what that does.
package procs

import (
	"context"
	"encoding/json"
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
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	return BuildIn(ctx, root, dir, nil, packages...)
}

// BuildDev is Build for packages of the module dev.
func BuildDev(ctx context.Context, dir string, packages ...string) error {
	root, err := Root(ctx)
	if err != nil {
		return err
	}
	return BuildIn(ctx, filepath.Join(root, "dev"), dir, nil, packages...)
}

// Root is the folder of the root module; the caller is started in dev.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(filepath.Dir(strings.TrimSpace(string(out)))), nil
}

// BuildIn is Build for packages of a module, with files by path that the compiler sees beside those on disk. It takes none of
// the flags of a test run: -race and -cover would build other programs than production's.
func BuildIn(ctx context.Context, module, dir string, overlay map[string]string, packages ...string) error {
	args := []string{"build", "-C", module, "-o", dir + string(filepath.Separator)}
	if overlay != nil {
		file, remove, err := writeOverlay(overlay)
		if err != nil {
			return err
		}
		defer remove()
		args = append(args, "-overlay", file)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...) //nolint:gosec // G204: the arguments are ours
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false -tags=nomsgpack,grpcnotrace", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(packages, " "), errors.Join(context.Cause(ctx), err), out)
	}
	return nil
}

// writeOverlay writes files and the JSON that names them for go build.
func writeOverlay(files map[string]string) (file string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "overlay-*")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	replace := map[string]string{}
	for path, text := range files {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		err = errors.Join(err, os.WriteFile(replace[path], []byte(text), 0o600))
	}
	names, err2 := json.Marshal(map[string]any{"Replace": replace})
	file = filepath.Join(dir, "overlay.json")
	if err = errors.Join(err, err2, os.WriteFile(file, names, 0o600)); err != nil {
		remove()
	}
	return file, remove, err
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
