// Package cli is the starter: the command line tool that starts verifications and shows how they stand.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"golang.org/x/term"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/program"
	"didit-temporal/internal/version"
)

// Purpose is what the starter does, for the help of a binary that has it among its commands.
const Purpose = "Starts verifications and shows how they stand; serves the HTTP API and the codec server."

// Main runs the starter, with the connection of Temporal's own tools and the keys of our payloads.
func Main(ctx context.Context, p program.Process) int {
	return Report(p.Stderr, p.Args, Run(ctx, p, func() (client.Options, error) {
		keys, wrong := config.PayloadKeys(p.Getenv)
		options, err := program.Connection(keys)
		return options, errors.Join(err, wrong)
	}))
}

// Run runs the command that the arguments name. Results go to Stdout, progress and notes to Stderr; an error is
// returned and not printed. Only a command that connects asks for the settings of the connection to Temporal.
func Run(ctx context.Context, p program.Process, temporal func() (client.Options, error)) error {
	t := &tool{
		stdin: p.Stdin, stdout: p.Stdout, stderr: p.Stderr, terminal: isTerminal(p.Stderr),
		interactive: isTerminal(p.Stderr) && isTerminal(p.Stdin),
		dial:        dialer(temporal), now: time.Now, after: time.After, getenv: p.Getenv, serve: server(temporal), alive: app.CheckAlive,
		environ: p.Environ, temporal: temporal,
	}
	return t.run(ctx, p.Args)
}

// tool is what the commands share. Tests replace the connection and the clock.
type tool struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one, so that a progress bar can be drawn
	interactive    bool // an operator reads and can answer
	dial           func(context.Context) (verifications, error)
	now            func() time.Time
	after          func(time.Duration) <-chan time.Time
	getenv         config.Getenv
	environ        func() []string
	temporal       func() (client.Options, error)
	serve          func(context.Context, config.Starter, *slog.Logger) error
	alive          func(ctx context.Context, variable, addr string) error
}

// errInterrupted is the end of a command by Ctrl-C or SIGTERM.
var errInterrupted = errors.New("interrupted")

var rootLong = `starter starts identity verifications at Didit, each as a workflow in
Temporal, and shows their states.

Every command may be run again at any time: a user whose verification is open
keeps it, with the same session and URL, and one who was approved or declined
before is not verified again unless --reverify says so.

The connection to Temporal comes from the environment, as for Temporal's own
tools: TEMPORAL_ADDRESS (127.0.0.1:7233), TEMPORAL_NAMESPACE (default),
TEMPORAL_API_KEY, TEMPORAL_TLS*, TEMPORAL_PROFILE. Where the worker has
PAYLOAD_KEYS, this tool needs the same. A worker must be running; it, and not this
tool, holds the key to Didit, which only ` + "`setup didit` and `doctor`" + ` ask for.

With -o json an error is one line of JSON on standard error too.

` + exitCodes()

const rootExample = `  starter setup                      once per namespace, and before each update
  starter start --user u1            print the URL that the user must open
  starter start --user u1 --wait     ... and wait for the verdict
  starter status --user u1 -o json   its state, for a program
  starter status --user u1 --history
                                     timeline, with operator actions
  starter decide --user u1 --status approved --actor jo --reason checked:CASE-1
  starter erase --user u1 --actor jo --reason request:CASE-12
  starter bulk --file users.csv      one verification for each user of a file
  starter bulk -n 100                users user-1 to user-100, to try it out
  starter serve                      the same over HTTP, for signup services`

func (t *tool) run(ctx context.Context, args []string) error {
	root := t.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && cmd == root { // it does nothing itself, so it was called wrongly
		return usage(fmt.Errorf("%s\nrun `starter --help` for the commands", strings.TrimSpace(err.Error())))
	}
	return err
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "starter",
		Short:         "Start identity verifications and see how they stand",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version.Get().String(),
		SilenceErrors: true, // the main prints them
		SilenceUsage:  true,
	}
	root.SetIn(t.stdin)
	root.SetOut(t.stdout)
	root.SetErr(t.stderr)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return withHelp(cmd, cmd.ValidateRequiredFlags()) }
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root {
			return err
		}
		return withHelp(cmd, err)
	})
	root.AddCommand(t.startCommand(), t.statusCommand(), t.bulkCommand(), t.setupCommand(), t.serveCommand(),
		t.decideCommand(), t.refreshCommand(), t.cancelCommand(), t.eraseCommand(), t.doctorCommand(), t.viewsCommand(), t.codecServerCommand(), t.codecKeyCommand())
	flagsOnly(root.Commands())
	return root
}

// flagsOnly refuses arguments: they are flags here.
func flagsOnly(commands []*cobra.Command) {
	for _, c := range commands {
		c.Args = noArguments
		flagsOnly(c.Commands())
	}
}

// withHelp says where a command's flags are listed.
func withHelp(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return usage(fmt.Errorf("%w\nrun `%s --help` for its flags", err, cmd.CommandPath()))
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
