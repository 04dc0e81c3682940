package run

import (
	"bufio"
	"context"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"didit-temporal/dev/postgres"
)

// Machine is what the numbers depend on. It names no host.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
}

func machine() Machine {
	return Machine{
		OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(),
		CPU: procLine("/proc/cpuinfo", "model name"), Memory: procLine("/proc/meminfo", "MemTotal"),
	}
}

// procLine is the value of the first line with the key; empty where there is no such file.
func procLine(file, key string) string {
	f, err := os.Open(file) //nolint:gosec // G304: the name is ours
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// versions are of Go, of the modules that matter here, and of what of the operating system takes part where it is installed.
func versions(ctx context.Context) map[string]string {
	v := map[string]string{"go": runtime.Version()}
	if version, err := postgres.Version(ctx); err == nil {
		v["postgresql"] = version
	}
	// The server is not linked into this program: it is a child process.
	for dir, module := range map[string]string{".": "go.temporal.io/sdk", "temporal": "go.temporal.io/server"} {
		out, err := exec.CommandContext(ctx, "go", "-C", dir, "list", "-m", module).Output()
		if path, version, ok := strings.Cut(strings.TrimSpace(string(out)), " "); ok && err == nil {
			v[path] = version
		}
	}
	return v
}

// revision is empty outside of a clone.
func revision(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// listed are the versions for a person.
func listed(versions map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, name+" "+strings.TrimPrefix(versions[name], "go"))
	}
	return strings.Join(all, ", ")
}
