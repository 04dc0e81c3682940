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
	Versions map[string]string `json:"versions"`
	Report

	group string
	err   error
}

// conclude prints and writes all results. Its error says what is broken or could not be measured.
func conclude(stdout io.Writer, out string, results []Result, benches []Bench) error {
	var errs []error
	for _, r := range results {
		fmt.Fprintf(stdout, "\n%s: %s (%s)\n", r.Bench, r.About, r.Took)
		r.Write(stdout)
		if r.err != nil {
			errs = append(errs, fmt.Errorf("%s cannot be measured: %w", r.Bench, r.err))
		}
		for _, what := range r.Broken {
			errs = append(errs, fmt.Errorf("%s: broken: %s", r.Bench, what))
		}
	}
	if out != "" {
		errs = append(errs, write(out, results, benches))
	}
	return errors.Join(errs...)
}

// write puts the results into the files of their groups, where they take the place of older ones of the same benchmark.
func write(out string, results []Result, benches []Bench) error {
	groups := map[string][]Result{}
	for _, r := range results {
		if r.err == nil {
			groups[r.group] = append(groups[r.group], r)
		}
	}
	for group, fresh := range groups {
		file := filepath.Join(out, "bench", group+".json")
		all, err := read(file)
		if err != nil {
			return err
		}
		all = merge(all, fresh, benches)
		if err := save(file, all); err != nil {
			return err
		}
		if err := illustrate(out, group, all, benches); err != nil {
			return err
		}
	}
	return nil
}

// illustrate makes the pictures of a group, and the tables of its page.
func illustrate(out, group string, all []Result, benches []Bench) error {
	pictures := filepath.Join(out, "pictures")
	return errors.Join(draw(pictures, all, benches), drawRatios(filepath.Join(pictures, group+"-ratios.png"), all),
		fillPage(filepath.Join(out, "operations", group+".md"), all))
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

// merge keeps the order in which benchmarks are listed.
func merge(old, fresh []Result, benches []Bench) []Result {
	place := map[string]int{}
	for i, b := range benches {
		place[b.Name] = i
	}
	all := slices.Clone(fresh)
	for _, r := range old {
		if !slices.ContainsFunc(fresh, func(f Result) bool { return f.Bench == r.Bench }) {
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
