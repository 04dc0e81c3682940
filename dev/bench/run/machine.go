package run

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"regexp"
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
	text, _ := os.ReadFile(file) //nolint:gosec // G304: the name is ours
	found := regexp.MustCompile(`(?m)^` + key + `\s*:\s*(.*)$`).FindSubmatch(text)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// versions are of Go, of our revision, and of what else matters here. The server is not linked into this program.
func versions(ctx context.Context) map[string]string {
	v := map[string]string{"go": runtime.Version(), "postgresql": "none"}
	if version, err := postgres.Version(ctx); err == nil {
		v["postgresql"] = version
	}
	for _, command := range [][]string{
		{"git", "log", "-1", "--format=revision %h"}, // none outside of a clone
		{"go", "list", "-m", "go.temporal.io/sdk"}, {"go", "-C", "temporal", "list", "-m", "go.temporal.io/server"},
	} {
		out, _ := exec.CommandContext(ctx, command[0], command[1:]...).Output() //nolint:gosec // G204: the commands are ours
		if name, version, ok := strings.Cut(strings.TrimSpace(string(out)), " "); ok {
			v[name] = version
		}
	}
	return v
}

// listed are the versions for a person.
func listed(versions map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, name+" "+strings.TrimPrefix(versions[name], "go"))
	}
	return strings.Join(all, ", ")
}
