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
			fmt.Fprintf(t, "  %s\t%s\t%s\n", v.Name, v.Default, strings.ReplaceAll(v.Meaning, "`", ""))
		}
	}
	return t.Flush()
}

// Default is the documented default of a variable, empty if it has none.
func Default(name string) string { return defaultOf(name) }
