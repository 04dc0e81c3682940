package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"didit-temporal/dev/stack"
	"didit-temporal/dev/tserver"
)

// command is what the command line asks for.
type command struct {
	stack.Options

	leash   bool
	didit   string // one of the two below
	envFile string // of settings for the real Didit
}

// Whom the processes talk to.
const (
	simulated = "simulated"
	realDidit = "real"
)

func parse(args []string, stdout io.Writer) (o command, err error) {
	fs := flag.NewFlagSet("dev", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is printed once, by main
	only := fs.String("only", "", "comma-separated `parts` to run, of: "+strings.Join(stack.Names(), ", ")+"; empty: all")
	fs.StringVar(&o.IP, "ip", "127.0.0.1", "`address` to listen on")
	fs.IntVar(&o.TemporalPort, "temporal-port", 7233, "`port` of Temporal; 0, here and below: any free one")
	fs.BoolVar(&o.UI, "ui", true, "run Temporal's Web UI")
	fs.IntVar(&o.UIPort, "ui-port", 8233, "`port` of the Web UI")
	fs.IntVar(&o.SimulatorPort, "simulator-port", 8090, "`port` of the Didit simulator")
	fs.IntVar(&o.WebhookPort, "webhook-port", 8080, "`port` that receives webhooks")
	fs.IntVar(&o.APIPort, "api-port", 8081, "`port` of the HTTP API")
	fs.IntVar(&o.SignupPort, "signup-port", 8083, "`port` of the example of a signup page")
	fs.StringVar(&o.WebSDK, "web-sdk", "", "`file` didit-sdk.umd.min.js of npm's sdk-web, for the signup page; empty: it uses a frame")
	fs.BoolVar(&o.Encrypt, "encrypt", true, "encrypt payloads, with a key that is public, and show them through a codec server")
	fs.IntVar(&o.CodecPort, "codec-port", 8082, "`port` of the codec server")
	fs.BoolVar(&o.Traces, "traces", false, "send traces where OTEL_EXPORTER_OTLP_ENDPOINT says")
	fs.IntVar(&o.MetricsPort, "metrics-port", 9464, "first of three `ports` with metrics, of worker, webhook and API")
	results := fs.Bool("results", false, "take the callbacks of results, and print each, verified, as it comes")
	fs.StringVar(&o.DBFile, "db", "", "SQLite `file` that keeps Temporal's state; empty: in memory")
	fs.StringVar(&o.TemporalLogLevel, "log-level", "fatal", "`level` of Temporal's own log: debug, info, warn, error, fatal")
	verbose := fs.Bool("verbose", false, "show what worker, webhook, API and simulator log; else only what is wrong")
	fs.StringVar(&o.didit, "didit", simulated, "`whom` to talk to: simulated, or real, which costs money (docs/guides/real-didit.md)")
	fs.StringVar(&o.envFile, "env-file", "", "`file` of the settings for -didit real; empty: the environment")
	fs.BoolVar(&o.leash, "leash", false, "stop when stdin is closed; print one READY line for the parent process")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w (-help lists the flags)", err)
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q (-help lists the flags)", fs.Arg(0))
	}
	if *results {
		o.Results = stdout
	}
	level := slog.LevelError
	if *verbose {
		level = slog.LevelInfo
	}
	o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	o.Only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' || r == ' ' })
	return o, o.check()
}

// check finds flags that do not go together.
func (c *command) check() error {
	switch {
	case !slices.Contains(tserver.LogLevels, c.TemporalLogLevel):
		return fmt.Errorf("-log-level %q: want one of %v", c.TemporalLogLevel, tserver.LogLevels)
	case c.didit != simulated && c.didit != realDidit:
		return fmt.Errorf("-didit %s: want %s or %s", c.didit, simulated, realDidit)
	case c.didit == simulated && c.envFile != "":
		return errors.New("-env-file is for -didit real; the simulator has settings of its own")
	case c.Results != nil && c.didit == realDidit:
		return errors.New("-results does not go with -didit real: RESULT_URL receives the results")
	case c.didit == realDidit && len(c.Only) > 0:
		return errors.New("-only does not go with -didit real: start the processes by hand, as in production")
	}
	return nil
}

// leashed ends with ctx, or when the process at the other end of stdin closes it or dies.
func leashed(ctx context.Context, stdin io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return ctx
}

// stopLimit bounds a stop that hangs: the parent must not find us alive a minute later.
const stopLimit = 15 * time.Second

func stop(s *stack.Stack) error {
	done := make(chan error, 1)
	go func() { done <- s.Stop() }()
	select {
	case err := <-done:
		return err
	case <-time.After(stopLimit):
		return fmt.Errorf("did not stop within %v", stopLimit)
	}
}
