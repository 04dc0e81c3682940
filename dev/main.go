// Command dev runs the system, or parts of it, on this machine: go -C dev run . [-only temporal]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"didit-temporal/dev/stack"
	"didit-temporal/internal/config"
)

func main() {
	// A shell set up for a real cluster must not steer what runs here, not even through a library.
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "TEMPORAL_") {
			_ = os.Unsetenv(name)
		}
	}
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second Ctrl-C ends the process at once
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

// run returns nil when it was asked to stop, before it was ready too.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	return runWith(ctx, args, getenv, config.Default("DIDIT_BASE_URL"), stdout)
}

// runWith is run with another address of the real Didit, for tests.
func runWith(ctx context.Context, args []string, getenv func(string) string, diditURL string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err == nil && o.didit == realDidit {
		err = o.useRealDidit(getenv, diditURL)
	}
	if err != nil {
		return err
	}
	if o.leash {
		ctx = leashed(ctx, os.Stdin)
	}
	s, err := stack.Start(ctx, o.Options)
	if err != nil && ctx.Err() != nil {
		return nil //nolint:nilerr // asked to stop before it was ready
	}
	if err != nil {
		return err
	}
	if err := report(ctx, stdout, s, o.Options, o.leash); err != nil {
		return errors.Join(err, s.Stop())
	}
	select {
	case <-ctx.Done():
		return stop(s)
	case err := <-s.Failed():
		return errors.Join(err, s.Stop())
	}
}
