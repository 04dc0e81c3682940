package run

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"didit-temporal/dev/bench/ratio"
)

// Report is what a benchmark found.
type Report struct {
	Tables []Table  `json:"tables"`
	Notes  []string `json:"notes,omitempty"` // how to read the tables
	// Broken are promises that did not hold, Missed are targets that were not reached.
	Broken []string `json:"broken"`
	Missed []string `json:"missed"`
	Series []Series `json:"series,omitempty"`
	Ratios []Ratio  `json:"ratios,omitempty"`

	safety []string // broken promises that no slow machine excuses
}

// Table is for a person and for the documentation.
type Table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Ratio is a figure of ours divided by a peer's, both measured in turns in one run.
type Ratio struct {
	Name   string  `json:"name"`
	Peer   string  `json:"peer"`
	Ours   float64 `json:"ours"`
	Theirs float64 `json:"theirs"`
	ratio.Ratio
	Target Target `json:"target"`
}

// Target of a ratio. The zero value is none.
type Target struct {
	Least float64 `json:"at_least,omitempty"`
	Most  float64 `json:"at_most,omitempty"`
}

// AtLeast makes a target that must be reached.
func AtLeast(r float64) Target { return Target{Least: r} }

// AtMost makes a target that must not be exceeded.
func AtMost(r float64) Target { return Target{Most: r} }

func (t Target) String() string {
	switch {
	case t.Least > 0:
		return fmt.Sprintf("at least %.2f", t.Least)
	case t.Most > 0:
		return fmt.Sprintf("at most %.2f", t.Most)
	}
	return "-"
}

// Verdict compares the end of the interval that speaks against us with the target.
func (r Ratio) Verdict() string {
	good, bad := r.High <= r.Target.Most, r.Low > r.Target.Most
	if r.Target.Least > 0 {
		good, bad = r.Low >= r.Target.Least, r.High < r.Target.Least
	}
	switch {
	case r.Target == Target{}:
		return ""
	case r.Pairs < ratio.Enough:
		return "not judged"
	case good:
		return "reached"
	case bad:
		return "missed"
	}
	return "not shown"
}

// Interval is the ratio for a person.
func (r Ratio) Interval() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", r.Median, r.Low, r.High) }

// Compare notes a ratio, and that its target is missed where it is not shown to be reached.
func (r *Report) Compare(name, peer string, p *ratio.Pairs, target Target) Ratio {
	x := Ratio{Name: name, Peer: peer, Ours: p.Ours(), Theirs: p.Theirs(), Ratio: p.Ratio(), Target: target}
	if math.IsNaN(x.Median) {
		x.Median, x.Low, x.High = 0, 0, 0 // JSON has no word for it
	}
	r.Ratios = append(r.Ratios, x)
	if v := x.Verdict(); v == "missed" || v == "not shown" {
		r.Target(false, "%s (%s): %s of %s, %v was wanted", name, v, x.Interval(), peer, target)
	}
	return x
}

// Promise notes that a promise is broken unless it holds.
func (r *Report) Promise(holds bool, format string, args ...any) {
	if !holds {
		r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
	}
}

// Safe is Promise for what must hold on any machine, however slow: no user is lost, none is charged twice.
func (r *Report) Safe(holds bool, format string, args ...any) {
	r.Promise(holds, format, args...)
	if !holds {
		r.safety = append(r.safety, fmt.Sprintf(format, args...))
	}
}

// Unsafe are the promises of Safe that did not hold.
func (r *Report) Unsafe() []string { return r.safety }

// Target notes that a target is missed unless it is reached.
func (r *Report) Target(reached bool, format string, args ...any) {
	if !reached {
		r.Missed = append(r.Missed, fmt.Sprintf(format, args...))
	}
}

// Row adds a row; what is no string is formatted.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
		if f, ok := c.(float64); ok {
			row[i] = fmt.Sprintf("%.1f", f)
		}
	}
	t.Rows = append(t.Rows, row)
}

// Write prints the report for a person.
func (r *Report) Write(w io.Writer) {
	for _, t := range r.Tables {
		fmt.Fprintf(w, "\n  %s\n", t.Title)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "    "+strings.Join(t.Columns, "\t"))
		for _, row := range t.Rows {
			fmt.Fprintln(tw, "    "+strings.Join(row, "\t"))
		}
		_ = tw.Flush()
	}
	fmt.Fprintln(w)
	for _, list := range []struct {
		what  string
		lines []string
	}{{"", r.Notes}, {"MISSED: ", r.Missed}, {"BROKEN: ", r.Broken}} {
		for _, line := range list.lines {
			fmt.Fprintln(w, "  "+list.what+line)
		}
	}
}
