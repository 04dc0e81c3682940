// Command bench measures the whole system on this machine: go -C dev run ./bench [-list] [-only name,name] [-short]
//
// Temporal is a child process, Didit is simulated in this one with its true limits, and workers are the real programs.
package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"didit-temporal/dev/bench/limits"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/speed"
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second Ctrl-C ends the process at once
	benches := slices.Concat(limits.Benchmarks(), speed.Benchmarks())
	os.Exit(run.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, benches))
}
