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
	Name  string
	Group string // whose results share a file
	About string // one line
	Extra bool   // runs only when it is named
	Alone bool   // runs when nothing else does: it measures how fast things are
	// Picture that it draws into, if any; several may draw into one.
	Picture Picture
	Run     func(context.Context, *Env) (*Report, error)
}

// Env is what a benchmark is given.
type Env struct {
	Short    bool    // a small model that takes less than a minute
	Seed     uint64  // of everything that is drawn
	Programs string  // folder of the built programs
	Pairs    int     // of measurements for each ratio
	Scale    float64 // of what is counted in thousands; 1 is all of it

	began time.Time
	part  string
	slots chan struct{}
	mu    *sync.Mutex
	log   io.Writer
}

// Say tells a person who waits how far it is.
func (e *Env) Say(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(e.log, "%6.0fs  %s\n", time.Since(e.began).Seconds(), fmt.Sprintf(format, args...))
}

// Wants reports whether the case of that name is to run.
func (e *Env) Wants(name string) bool { return strings.Contains(name, e.part) }

// Case is a part of a benchmark that needs nothing of the others.
type Case func(context.Context) error

// Each runs the cases, as many at a time as -parallel allows over all benchmarks, and returns the first error, which
// ends the others.
func (e *Env) Each(ctx context.Context, cases ...Case) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var all sync.WaitGroup
	for _, c := range cases {
		all.Go(func() {
			select {
			case e.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-e.slots }()
			if err := c(ctx); err != nil {
				fail(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
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
