// Command peers drives Didit's published programs against our simulator and prints what each call got: the tools of the
// MCP server, and the clients of the Python SDK. A call that does not end as listed is a failure. It needs npm, node,
// python3 and their two registries; where one is missing it prints SKIPPED and why, and succeeds.
//
//	go -C dev run ./peers
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"didit-temporal/dev/skip"
)

// maxRun bounds the whole, downloads included.
const maxRun = 8 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	dir := fs.String("dir", "", "`folder` to install into, which is kept; empty takes a temporary one")
	if err := fs.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxRun)
	defer cancel()
	if *dir == "" {
		temporary, err := os.MkdirTemp("", "didit-peers-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temporary) }()
		*dir = temporary
	}
	rows, err := drive(ctx, *dir)
	var missing *unreachableError
	if errors.As(err, &missing) {
		fmt.Fprintln(stdout, "SKIPPED:", missing)
		return skip.Report("peers: " + missing.Error())
	}
	if err != nil {
		return err
	}
	return report(stdout, rows)
}

// drive installs the programs and runs them.
func drive(ctx context.Context, dir string) ([]row, error) {
	if err := install(ctx, dir); err != nil {
		return nil, err
	}
	d := newDidit()
	defer d.close()
	rows, err := driveTools(ctx, dir, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mcpServer, err)
	}
	more, err := drivePython(ctx, dir, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pythonSDK, err)
	}
	return append(rows, more...), nil
}

// row is what one call of a program got.
type row struct {
	program, call string
	routes        string // the calls that reached the simulator, each with its status
	got           string // ok, a status, or the program's own error
	want          string
}

func (r row) fits() bool { return r.got == r.want }

// short keeps a column of the table narrow.
func short(s string) string {
	const most = 70
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// report prints the table and fails if a row does not fit and is not a known difference, or if a known one is gone.
func report(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "program\tcall\treached the simulator as\tgot\t")
	bad, met := 0, map[string]bool{}
	for _, r := range rows {
		note := ""
		if reason, known := differences[r.call]; !r.fits() && known {
			note = "known: " + reason
			met[r.call] = true
		} else if !r.fits() {
			note = "WANT " + r.want
			bad++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.program, r.call, short(r.routes), short(r.got), note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for call := range differences {
		if !met[call] {
			fmt.Fprintf(w, "the difference %q is gone: remove it from the list\n", call)
			bad++
		}
	}
	fmt.Fprintf(w, "%d calls, %d known differences, %d unexpected\n", len(rows), len(met), bad)
	if bad > 0 {
		return fmt.Errorf("%d calls differ from the list", bad)
	}
	return nil
}
