package run

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is what a benchmark found.
type Report struct {
	Tables []Table  `json:"tables"`
	Notes  []string `json:"notes,omitempty"` // how to read the tables
	// Broken are promises that did not hold, Missed are targets that were not reached.
	Broken []string `json:"broken"`
	Missed []string `json:"missed"`
	// Figures are the numbers of the tables by name.
	Figures map[string]float64 `json:"figures,omitempty"`
	Series  []Series           `json:"series,omitempty"`
	Ratios  []Ratio            `json:"ratios,omitempty"`

	safety []string // broken promises that no slow machine excuses
}

// Table is for a person and for the documentation.
type Table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Series is a curve of a picture; the first point is at 0 s, the next ones Step seconds apart.
type Series struct {
	Picture string    `json:"picture"`
	Name    string    `json:"name"`
	Step    float64   `json:"step_seconds"`
	Y       []float64 `json:"y"`
}

// Figure notes a number under its name.
func (r *Report) Figure(value float64, name string, args ...any) {
	if r.Figures == nil {
		r.Figures = map[string]float64{}
	}
	r.Figures[fmt.Sprintf(name, args...)] = value
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
	row := make([]string, 0, len(cells))
	for _, c := range cells {
		row = append(row, cell(c))
	}
	t.Rows = append(t.Rows, row)
}

func cell(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprint(v)
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
