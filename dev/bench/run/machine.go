package run

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
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

// versions are of Go and of the modules that matter here.
func versions(ctx context.Context) map[string]string {
	v := map[string]string{"go": runtime.Version()}
	// The server is not linked into this program: it is a child process.
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "go.temporal.io/server", "go.temporal.io/sdk").Output()
	if err != nil {
		return v
	}
	for line := range strings.Lines(string(out)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			v[path] = version
		}
	}
	return v
}
