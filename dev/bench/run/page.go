package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// fillPage writes the tables into the page that explains them, between <!-- NAME:begin --> and <!-- NAME:end --> of the
// benchmark. A page that there is not is not made; a benchmark without marks is left out of it.
func fillPage(file string, r Result) error {
	b, err := os.ReadFile(file) //nolint:gosec // G304: the caller's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	page, err := between(string(b), r.Bench, r.markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(page), 0o644) //nolint:gosec // G306: documentation
}

func between(page, name, text string) (string, error) {
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	before, rest, marked := strings.Cut(page, begin)
	if !marked {
		return page, nil
	}
	_, after, closed := strings.Cut(rest, end)
	if !closed {
		return page, fmt.Errorf("there is a %q without its end", strings.TrimSpace(begin))
	}
	return before + begin + text + end + after, nil
}

// markdown is the result for a page: the command first, so that a reader can repeat it.
func (r Result) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n`%s`, %s, seed %d, on %d cores (%s) with %s; took %s.\n", r.Command, r.Began.Format("2006-01-02"), r.Seed,
		r.Machine.Cores, r.Machine.CPU, listed(r.Versions), r.Took)
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n%s:\n\n| %s |\n|%s\n", t.Title, strings.Join(escaped(t.Columns), " | "), strings.Repeat("---|", len(t.Columns)))
		for _, row := range t.Rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(escaped(row), " | "))
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	for _, m := range r.Missed {
		fmt.Fprintf(&b, "\nNot reached: %s.\n", m)
	}
	b.WriteString("\n")
	return b.String()
}

func escaped(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = strings.ReplaceAll(c, "|", "\\|")
	}
	return out
}
