// Package run is what all benchmarks have in common: which there are, how they are started, and what they print.
package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Bench is one benchmark.
type Bench struct {
	Name    string
	Group   string // whose results share a file
	About   string // one line
	Extra   bool   // runs only when it is named
	Alone   bool   // runs when nothing else does: it measures how fast things are
	Against bool   // can measure an older build too
	Run     func(context.Context, *Env) (*Report, error)
}

// Env is what a benchmark is given.
type Env struct {
	Options
	Programs string // folder of the built programs
	Old      string // the same of the older build; empty: there is none

	began time.Time
	slots chan struct{}
	mu    *sync.Mutex
	log   io.Writer
}

// NewEnv is an Env whose programs are in a folder.
func NewEnv(programs string, o Options, log io.Writer) *Env {
	return &Env{Options: o, Programs: programs, began: time.Now(), slots: make(chan struct{}, o.Parallel), mu: new(sync.Mutex), log: log}
}

// Say prints progress.
func (e *Env) Say(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(e.log, "%6.0fs  %s\n", time.Since(e.began).Seconds(), fmt.Sprintf(format, args...))
}

// Wants reports whether the case of that name is to run.
func (e *Env) Wants(name string) bool { return strings.Contains(name, e.Case) }

// Each runs the cases of a benchmark, as many at a time as -parallel allows over all benchmarks. It returns their results in
// the order of the cases, or the first error, which ends the others.
func Each[Case, Result any](ctx context.Context, e *Env, cases []Case, do func(context.Context, Case) (Result, error)) ([]Result, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	results := make([]Result, len(cases))
	var all sync.WaitGroup
	for i, c := range cases {
		all.Go(func() {
			select {
			case e.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-e.slots }()
			var err error
			if results[i], err = do(ctx, c); err != nil {
				fail(err)
			}
		})
	}
	all.Wait()
	return results, context.Cause(ctx)
}

// One is Each for a benchmark that has one case.
func One(ctx context.Context, e *Env, do func(context.Context) (*Report, error)) (*Report, error) {
	results, err := Each(ctx, e, []struct{}{{}}, func(ctx context.Context, _ struct{}) (*Report, error) { return do(ctx) })
	return results[0], err
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
