// Package program starts our programs: the processes one by one, and all of them as the commands of one binary.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"didit-temporal/internal/config"
	"didit-temporal/internal/version"
)

// Process is what a program takes from the process that it runs in.
type Process struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         config.Getenv
	Environ        func() []string
}

// Run runs a program until it has done its work or ctx ends. It prints its own errors and returns the exit code.
type Run func(ctx context.Context, p Process) int

// Main runs a program with the arguments, the streams and the signals of this process, and returns the exit code. The
// first Ctrl-C or SIGTERM ends the context, the second one the process.
func Main(run Run, args []string, getenv config.Getenv, environ func() []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, Process{Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: getenv, Environ: environ})
}

// Exit codes, with the meaning that `starter --help` gives them.
const (
	exitError    = 1
	exitUsage    = 2
	exitTemporal = 4
)

// coded is an error with its exit code.
type coded struct {
	error
	code int
}

// Unwrap returns the error itself.
func (c coded) Unwrap() error { return c.error }

// report prints err and returns the exit code.
func (p Process) report(name string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(p.Stderr, "%s: %v\n", name, err)
	if c, ok := errors.AsType[coded](err); ok {
		return c.code
	}
	return exitError
}

// printVersion prints the build if --version is all that the arguments ask for.
func (p Process) printVersion(name string) bool {
	if len(p.Args) != 1 || p.Args[0] != "--version" {
		return false
	}
	fmt.Fprintf(p.Stdout, "%s version %s\n", name, version.Get())
	return true
}
