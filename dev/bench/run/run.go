// Package run is what all benchmarks have in common: which there are, how they are started, and what they print.
package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bench is one benchmark.
type Bench struct {
	Name    string
	Group   string // whose results share a file
	About   string // one line
	Extra   bool   // runs only when it is named
	Against bool   // can measure an older build too
	Run     func(context.Context, *Env) (*Report, error)
}

// Env is what a benchmark is given.
type Env struct {
	Options
	Programs string // folder of the built programs
	Old      string // the same of the older build; empty: there is none

	versions map[string]string
	began    time.Time
	mu       sync.Mutex
	log      io.Writer
}

// NewEnv is an Env whose programs are in a folder.
func NewEnv(programs string, o Options, log io.Writer) *Env {
	return &Env{Options: o, Programs: programs, began: time.Now(), log: log}
}

// Say prints progress.
func (e *Env) Say(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(e.log, "%6.0fs  %s\n", time.Since(e.began).Seconds(), fmt.Sprintf(format, args...))
}

// Each runs the cases of a benchmark, as many at a time as -parallel allows. It returns their results in the order of the
// cases, or the first error, which ends the others.
func Each[Case, Result any](ctx context.Context, e *Env, cases []Case, do func(context.Context, Case) (Result, error)) ([]Result, error) {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(e.Parallel)
	results := make([]Result, len(cases))
	for i, c := range cases {
		all.Go(func() (err error) {
			results[i], err = do(ctx, c)
			return err
		})
	}
	return results, all.Wait()
}

// TempDir makes a folder and the function that removes it.
func TempDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "bench-*")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// Pick returns full, or short for the small model.
func Pick[T any](e *Env, full, short T) T {
	if e.Short {
		return short
	}
	return full
}

// Times is n, scaled, and at least least.
func (e *Env) Times(n, least int) int { return max(least, int(e.Scale*float64(n))) }
