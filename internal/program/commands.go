package program

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
)

// Command is a program under the name that it has in a binary of several.
type Command struct {
	Name, Purpose string
	Run           Run
}

// Commands makes one program of several: its first argument names the one to run.
func Commands(name, purpose string, commands ...Command) Run {
	return func(ctx context.Context, p Process) int {
		switch {
		case p.printVersion(name):
			return 0
		case len(p.Args) == 0, slices.Contains(config.HelpArguments, p.Args[0]):
			return p.printCommands(name, purpose, commands)
		}
		for _, c := range commands {
			if c.Name == p.Args[0] {
				p.Args = p.Args[1:]
				return c.Run(ctx, p)
			}
		}
		return p.report(name, coded{fmt.Errorf("unknown command %q: %s --help lists the commands", p.Args[0], name), exitUsage})
	}
}

func (p Process) printCommands(name, purpose string, commands []Command) int {
	fmt.Fprintf(p.Stdout, "%s\n\nUsage: %s COMMAND [arguments]\n\nCommands:\n", purpose, name)
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 3, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(w, "  %s\t%s\n", c.Name, c.Purpose)
	}
	if err := w.Flush(); err != nil {
		return p.report(name, err)
	}
	fmt.Fprintf(p.Stdout, "\n%s COMMAND --help explains a command, %s --version prints the build.\n", name, name)
	return 0
}

// ProbePurpose is what Probe does.
const ProbePurpose = "Checks that a URL answers 200, for health checks in containers."

const probeUsage = `Usage: probe URL

Checks that a URL answers 200 within 3 seconds, such as these of the metrics port:

  http://127.0.0.1:9464/readyz   the process can do its work
  http://127.0.0.1:9464/livez    the process lives

Exit code: 0 if it does, else 1.
`

// Probe is the health check of a container: its image has no other program that could ask.
func Probe(ctx context.Context, p Process) int {
	switch {
	case len(p.Args) != 1:
		return p.report("probe", coded{errors.New("want one URL; probe --help explains it"), exitUsage})
	case slices.Contains(config.HelpArguments, p.Args[0]):
		fmt.Fprint(p.Stdout, probeUsage)
		return 0
	}
	return p.report("probe", app.Probe(ctx, p.Args[0]))
}
