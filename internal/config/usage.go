package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Usage writes the help of a process that takes its settings from the environment only. Arguments that do not ask for
// help are an error.
func Usage(args []string, w io.Writer, process, purpose string) error {
	if !slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		return fmt.Errorf("unexpected argument %q: settings come from the environment, %s --help lists them", args[0], process)
	}
	fmt.Fprintf(w, "%s\n\nUsage: %s\n\nEnvironment (a secret may also come from the file that NAME_FILE names):\n\n", purpose, process)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range Variables() {
		if v.Who == whoAll || slices.Contains(strings.Split(v.Who, ", "), process) {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", v.Name, v.DefaultOf(process), v.Plain())
		}
	}
	return t.Flush()
}

// DefaultOf is the default for one process: each has a port of its own for its metrics.
func (v Variable) DefaultOf(process string) string {
	if v.Name != "METRICS_ADDR" {
		return v.Default
	}
	n := map[string]int{"webhook": metricsOfWebhook, "starter serve": metricsOfStarter}[process]
	return newEnv(func(string) string { return "" }).metricsAddr(n)
}

// Plain is the meaning for a terminal, which shows no Markdown.
func (v Variable) Plain() string {
	return strings.ReplaceAll(v.Meaning, "`", "")
}

// Default is the documented default of a variable, empty if it has none.
func Default(name string) string { return defaultOf(name) }
