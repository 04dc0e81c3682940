package run

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"didit-temporal/dev/checkout"
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
	err = errors.Join(e.build(ctx, root, e.Programs), procs.Build(ctx, filepath.Join(root, "dev"), e.Programs, nil, "./bench/peer"))
	if err != nil || e.Against == "" {
		return err
	}
	e.Old = filepath.Join(e.Programs, "old")
	source := filepath.Join(e.Programs, "source")
	if err := checkout.At(ctx, root, e.Against, source); err != nil {
		return err
	}
	e.Say("building %s", e.Against)
	return e.build(ctx, source, e.Old)
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
		return procs.Build(ctx, root, dir, nil, programs...)
	}
	overlay, source := filepath.Join(e.Programs, "overlay.json"), filepath.Join(e.Programs, "profile.go")
	replace := map[string]string{}
	for _, p := range programs {
		replace[filepath.Join(root, p, "profile_bench.go")] = source
	}
	names, err := json.Marshal(map[string]any{"Replace": replace})
	err = errors.Join(err, os.WriteFile(source, []byte(profiler), 0o600), os.WriteFile(overlay, names, 0o600))
	if err != nil {
		return err
	}
	return procs.Build(ctx, root, dir, []string{"-overlay", overlay}, programs...)
}
