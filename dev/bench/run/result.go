package run

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Result is a report and how it came about.
type Result struct {
	Bench    string            `json:"bench"`
	About    string            `json:"about"`
	Command  string            `json:"command"`
	Short    bool              `json:"short,omitempty"`
	Seed     uint64            `json:"seed"`
	Began    time.Time         `json:"began"`
	Took     string            `json:"took"`
	Machine  Machine           `json:"machine"`
	Against  string            `json:"against,omitempty"` // revision of the older build
	Versions map[string]string `json:"versions"`
	Report
}

// conclude prints and writes a result. Its error says what is broken.
func conclude(stdout io.Writer, out, group string, r Result, benches []Bench) error {
	fmt.Fprintf(stdout, "\n%s: %s (%s)\n", r.Bench, r.About, r.Took)
	r.Write(stdout)
	var errs []error
	for _, what := range r.Broken {
		errs = append(errs, fmt.Errorf("%s: broken: %s", r.Bench, what))
	}
	if out != "" {
		errs = append(errs, write(out, group, r, benches))
	}
	return errors.Join(errs...)
}

// write puts a result into the files of its group, where it takes the place of an older one of the same benchmark.
func write(out, group string, r Result, benches []Bench) error {
	file := filepath.Join(out, "bench", group+".json")
	all, err := read(file)
	if err != nil {
		return err
	}
	all = merge(all, r, benches)
	text, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o750)
	}
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return err
	}
	page := filepath.Join(out, "operations", group+".md")
	if group == against {
		page = filepath.Join(out, "operations", "performance.md")
		err = fillPage(page, costs(all))
	}
	return errors.Join(err, draw(filepath.Join(out, "pictures", group+".png"), all), fillPage(page, r))
}

// against is the group of all results with an older build.
const against = "against"

// costs is what all benchmarks have found against an older build, in one table.
func costs(all []Result) Result {
	sum := all[len(all)-1]
	sum.Bench, sum.Report = against, Report{Tables: []Table{{
		Title: "this build, measured in turns with " + sum.Against, Columns: []string{"figure", "ratio (95 %)", "pairs"},
	}}}
	for _, r := range all {
		for _, x := range r.Ratios {
			if x.Peer == "build "+r.Against {
				sum.Tables[0].Row(x.Name, x.Interval(), x.Pairs)
			}
		}
	}
	return sum
}

func read(file string) (all []Result, err error) {
	b, err := os.ReadFile(file) //nolint:gosec // G304: the caller's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read older results: %w", err)
	}
	return all, nil
}

// merge keeps the order in which benchmarks are listed, and drops those that are not listed any more.
func merge(all []Result, fresh Result, benches []Bench) []Result {
	place := func(r Result) int { return slices.IndexFunc(benches, func(b Bench) bool { return b.Name == r.Bench }) }
	all = slices.DeleteFunc(all, func(r Result) bool { return r.Bench == fresh.Bench || place(r) < 0 })
	return slices.SortedFunc(slices.Values(append(all, fresh)), func(a, b Result) int { return cmp.Compare(place(a), place(b)) })
}
