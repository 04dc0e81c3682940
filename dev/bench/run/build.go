package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"didit-temporal/dev/procs"
)

// programs are ours that are measured.
var programs = []string{"./worker", "./webhook", "./starter"}

// Build leaves the programs that benchmarks start in Programs, and those of the older build in a folder below it.
func (e *Env) Build(ctx context.Context) error {
	root, err := procs.Root(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(e.build(ctx, root, e.Programs), procs.BuildDev(ctx, e.Programs, "./bench/peer"))
	if err != nil || e.Against == "" {
		return err
	}
	e.Old = filepath.Join(e.Programs, "old")
	source := filepath.Join(e.Programs, "source")
	if err := checkout(ctx, root, e.Against, source); err != nil {
		return err
	}
	e.Say("building %s", e.Against)
	return e.build(ctx, source, e.Old)
}

// checkout writes the files of a revision, which need not be a branch or a tag.
func checkout(ctx context.Context, repository, revision, dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	archive := filepath.Join(dir, ".tar")
	//nolint:gosec // G204: whoever runs a benchmark chooses what it builds
	for _, cmd := range []*exec.Cmd{
		exec.CommandContext(ctx, "git", "-C", repository, "archive", "--output", archive, "--end-of-options", revision),
		exec.CommandContext(ctx, "tar", "-xf", archive, "-C", dir),
	} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("check out %s: %w: %s (a clone with its history is needed)", revision, err, out)
		}
	}
	return nil
}

// ProfileVariable is where a program that was built for -profile listens.
const ProfileVariable = "BENCH_PPROF_ADDR"

const profiler = `package main

import (
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() { go http.ListenAndServe(os.Getenv("` + ProfileVariable + `"), nil) }
`

// build is production's. With -profile a file is laid over each program, in the build alone, that serves profiles.
func (e *Env) build(ctx context.Context, root, dir string) error {
	if e.Profile == "" {
		return procs.BuildIn(ctx, root, dir, nil, programs...)
	}
	overlay := map[string]string{}
	for _, p := range programs {
		overlay[filepath.Join(root, p, "profile_bench.go")] = profiler
	}
	return procs.BuildIn(ctx, root, dir, overlay, programs...)
}
