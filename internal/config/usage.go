package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// HelpArguments are the first arguments that ask for help.
var HelpArguments = []string{"-h", "-help", "--help", "help"}

// Usage writes the help of a process that takes its settings from the environment only. Arguments that do not ask for
// help are an error.
func Usage(args []string, w io.Writer, process, purpose string) error {
	if !slices.Contains(HelpArguments, args[0]) {
		return fmt.Errorf("unexpected argument %q: settings come from the environment, %s --help lists them", args[0], process)
	}
	fmt.Fprintf(w, "%s\n\nUsage: %s\n\nEnvironment (a secret may also come from the file that NAME_FILE names):\n\n", purpose, process)
	return WriteSettings(w, process, true)
}

// WriteSettings lists the variables that a process reads, with or without those that all processes share.
func WriteSettings(w io.Writer, process string, shared bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range Variables() {
		if v.Who == forAll && shared || slices.Contains(strings.Split(v.Who, ", "), process) {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", v.Name, v.defaultOf(process), strings.ReplaceAll(v.Meaning, "`", ""))
		}
	}
	return t.Flush()
}

// defaultOf is the default for one process: each has a port of its own for its metrics.
func (v Variable) defaultOf(process string) string {
	if v.Name != "METRICS_ADDR" {
		return v.Default
	}
	return MetricsAddr(map[string]int{forWebhook: metricsOfWebhook, forStarter: metricsOfStarter, forCodec: metricsOfCodec}[process])
}
