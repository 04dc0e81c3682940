package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// The programs, pinned.
const (
	mcpServer = "@didit-protocol/mcp-server@4.0.0"
	pythonSDK = "didit-sdk==0.4.0"
)

// unreachableError means that a program cannot be installed here.
type unreachableError struct {
	what string
	err  error
	out  string
}

func (e *unreachableError) Error() string {
	lines := strings.Split(strings.TrimSpace(e.out), "\n")
	return fmt.Sprintf("%s: %v: %s", e.what, e.err, lines[max(len(lines)-3, 0):])
}

// install puts both programs into dir. Scripts of packages do not run.
func install(ctx context.Context, dir string) error {
	for _, c := range [][]string{
		{"node", "--version"},
		{"npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", mcpServer},
		{"python3", "-m", "venv", filepath.Join(dir, "venv")},
		{python(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pythonSDK},
	} {
		out, err := exec.CommandContext(ctx, c[0], c[1:]...).CombinedOutput() //nolint:gosec // a fixed list
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err != nil {
			return &unreachableError{what: strings.Join(c, " "), err: err, out: string(out)}
		}
	}
	return nil
}

func python(dir string) string { return filepath.Join(dir, "venv", "bin", "python") }
