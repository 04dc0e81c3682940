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
	Revision string            `json:"revision,omitempty"` // of the repository
	Against  string            `json:"against,omitempty"`  // revision of the older build
	Versions map[string]string `json:"versions"`
	Report

	group string
	err   error
}

// conclude prints and writes all results. Its error says what is broken or could not be measured.
func conclude(stdout io.Writer, out string, results []Result, benches []Bench) error {
	var errs []error
	groups := map[string][]Result{}
	for _, r := range results {
		fmt.Fprintf(stdout, "\n%s: %s (%s)\n", r.Bench, r.About, r.Took)
		r.Write(stdout)
		for _, what := range r.Broken {
			errs = append(errs, fmt.Errorf("%s: broken: %s", r.Bench, what))
		}
		if r.err != nil {
			errs = append(errs, fmt.Errorf("%s cannot be measured: %w", r.Bench, r.err))
			continue
		}
		groups[r.group] = append(groups[r.group], r)
	}
	if out == "" {
		return errors.Join(errs...)
	}
	for group, fresh := range groups {
		errs = append(errs, write(out, group, fresh, benches))
	}
	return errors.Join(errs...)
}

// write puts results into the files of their group, where they take the place of older ones of the same benchmark.
func write(out, group string, fresh []Result, benches []Bench) error {
	file := filepath.Join(out, "bench", group+".json")
	old, err := read(file)
	if err != nil {
		return err
	}
	all := merge(old, fresh, benches)
	if err := save(file, all); err != nil {
		return err
	}
	page := filepath.Join(out, "operations", group+".md")
	if group == "against" {
		page = filepath.Join(out, "operations", "performance.md")
		all = []Result{costs(all)}
	}
	return errors.Join(draw(filepath.Join(out, "pictures", group+".png"), all), fillPage(page, all))
}

// costs is what all benchmarks have found against an older build, in one table.
func costs(all []Result) Result {
	sum := all[len(all)-1]
	sum.Bench, sum.Report = "against", Report{Tables: []Table{{
		Title: "this build and " + sum.Against + ", and floors, in turns", Columns: []string{"figure", "of what", "ratio (95 %)", "pairs"},
	}}}
	for _, r := range all {
		for _, x := range r.Ratios {
			sum.Tables[0].Row(x.Name, x.Peer, x.Interval(), x.Pairs)
		}
	}
	return sum
}

func read(file string) ([]Result, error) {
	b, err := os.ReadFile(file) //nolint:gosec // G304: the caller's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Result
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read older results: %w", err)
	}
	return all, nil
}

// merge keeps the order in which benchmarks are listed, and drops those that are not listed any more.
func merge(old, fresh []Result, benches []Bench) []Result {
	place := map[string]int{}
	for i, b := range benches {
		place[b.Name] = i
	}
	all := slices.Clone(fresh)
	for _, r := range old {
		if _, listed := place[r.Bench]; listed && !slices.ContainsFunc(fresh, func(f Result) bool { return f.Bench == r.Bench }) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b Result) int { return cmp.Compare(place[a.Bench], place[b.Bench]) })
	return all
}

func save(file string, all []Result) error {
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o600)
}
