package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"didit-temporal/internal/config"
	"didit-temporal/internal/doctor"
	"didit-temporal/internal/envfile"
)

const doctorLong = `Check everything that a verification depends on, and say how to fix what is
wrong: settings, Temporal, its namespace, queues and workers, Didit, the key, the
flow, the webhook's destination and secret, the HTTP API, the callback endpoint,
clocks. Nothing is changed: the webhook gets events that are marked as tests, and
RESULT_URL one that is not signed, which it must refuse.

It reads the same environment as worker and webhook do, and compares it with what
the running processes publish of their settings in their metrics. What cannot be
checked is skipped and says why.

With --url it sends the test event there as Didit would. Run it from outside of
your network to see what Didit sees.

Exit code: 0 when no check failed, 6 otherwise.`

const doctorExample = `  starter doctor
  starter doctor --env-file .env --url https://kyc.your-domain/webhooks/didit
  starter doctor --prometheus http://prometheus:9090
  starter doctor --process webhook      where only the webhook runs
  starter doctor -o json                for a program`

type doctorFlags struct {
	doctor.Options
	envFile         string
	process, output choice
	timeout         time.Duration
}

const bothProcesses = "all"

func (t *tool) doctorCommand() *cobra.Command {
	o := doctorFlags{
		Options: doctor.Options{Now: t.now},
		output:  newOutput(),
		process: choice{value: bothProcesses, words: []string{bothProcesses, "worker", "webhook"}},
	}
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Find what is wrong with settings, Temporal, Didit or the webhook",
		Long:    doctorLong,
		Example: doctorExample,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.doctor(cmd.Context(), o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.envFile, "env-file", "", "`file` whose variables win over those of the environment")
	fs.StringVar(&o.PublicURL, "url", "", "public `URL` of the webhook, to call it and to find its destination at Didit")
	fs.StringVar(&o.WebhookURL, "webhook-url", "", "`URL` of the webhook for the test event; default: WEBHOOK_ADDR on this machine")
	fs.StringVar(&o.APIURL, "api-url", "", "`URL` of the HTTP API; default: STARTER_ADDR on this machine")
	fs.StringVar(&o.WaitingUser, "waiting-user", "", "`USER` whose verification is open: a long poll of 45 s is tried through --api-url")
	fs.StringSliceVar(&o.Metrics, "metrics", nil, "`URL` of a process's metrics, which publish its settings; repeat it (default: the usual ports of this machine)")
	fs.StringVar(&o.Prometheus, "prometheus", "", "`URL` of a Prometheus that collects the metrics of all processes")
	fs.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long to check at most")
	o.process.add(cmd, "process", "", "whose settings are here")
	o.output.add(cmd, "output", "o", "how to print the result")
	return cmd
}

func (t *tool) doctor(ctx context.Context, o doctorFlags) error {
	if err := checkTimeout(o.timeout); err != nil {
		return err
	}
	var err error
	if o.Getenv, o.Temporal, err = t.environment(o.envFile); err != nil {
		return err
	}
	if o.process.value != bothProcesses {
		o.Process = o.process.value
	}
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	found := doctor.Run(limited, o.Options)
	if ctx.Err() != nil {
		return errInterrupted
	}
	failed := doctor.Failures(found)
	if o.output.value == jsonOut {
		err = writeJSON(t.stdout, struct {
			OK     bool             `json:"ok"`
			Checks []doctor.Finding `json:"checks"`
		}{failed == 0, found})
	} else {
		printFindings(t.stdout, found, isTerminal(t.stdout))
	}
	if err == nil && failed > 0 {
		return ofKind(failedUnhealthy, fmt.Errorf("%d of %d checks failed", failed, len(found)))
	}
	return err
}

// colours are those of a terminal; other writers get none.
var colours = map[doctor.Status]string{doctor.OK: "32", doctor.Warning: "33", doctor.Failed: "31", doctor.Skipped: "90"}

// printFindings prints one check a line, and below it how to fix it.
func printFindings(w io.Writer, found []doctor.Finding, coloured bool) {
	width := 0
	for _, f := range found {
		width = max(width, len(f.Check))
	}
	count := map[doctor.Status]int{}
	for _, f := range found {
		count[f.Status]++
		status := fmt.Sprintf("%-7s", f.Status)
		if coloured {
			status = "\x1b[" + colours[f.Status] + "m" + status + "\x1b[0m"
		}
		fmt.Fprintf(w, "%s  %-*s  %s\n", status, width, f.Check, oneLine(f.Found))
		if f.Fix != "" {
			fmt.Fprintf(w, "%*s  -> %s\n", 7+2+width, "", oneLine(f.Fix))
		}
	}
	fmt.Fprintf(w, "%d ok, %d warnings, %d failed, %d skipped\n", count[doctor.OK], count[doctor.Warning], count[doctor.Failed], count[doctor.Skipped])
}

// environment is that of a process that is started with the env file.
func (t *tool) environment(path string) (config.Getenv, func() (client.Options, error), error) {
	if path == "" {
		return t.getenv, t.temporal, nil
	}
	f, err := envfile.Read(path)
	if err != nil {
		return nil, nil, err
	}
	o := overlay{file: f, getenv: t.getenv, environ: t.environ}
	load := func() (client.Options, error) {
		return envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: o})
	}
	return o.get, load, nil
}

// overlay is an environment with an env file over it.
type overlay struct {
	file    *envfile.File
	getenv  config.Getenv
	environ func() []string
}

func (o overlay) get(name string) string {
	v, _ := o.LookupEnv(name)
	return v
}

// LookupEnv implements envconfig.EnvLookup.
func (o overlay) LookupEnv(name string) (string, bool) {
	if v, ok := o.file.Lookup(name); ok {
		return v, true
	}
	v := o.getenv(name)
	return v, v != ""
}

// Environ implements envconfig.EnvLookup.
func (o overlay) Environ() []string { return slices.Concat(o.environ(), o.file.Environ()) }
