// Command starter starts verifications and shows how they stand; `starter --help` tells how.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"didit-temporal/internal/cli"
	"didit-temporal/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		os.Exit(cli.Report(os.Stderr, os.Args[1:], err))
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, cli.Process{
		Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr, Temporal: connection,
		Getenv: os.Getenv, Environ: os.Environ,
	})
}

// connection is that of Temporal's own tools, with the keys of our payloads.
func connection() (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	keys, wrong := config.PayloadKeys(os.Getenv)
	keys.Apply(&options)
	return options, errors.Join(err, wrong)
}
