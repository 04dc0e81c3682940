package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options are the flags.
type Options struct {
	Short    bool    // a small model that takes less than a minute
	Seed     uint64  // of everything that is drawn
	Pairs    int     // of measurements for each ratio
	Scale    float64 // of what is counted in thousands; 1 is all of it
	Parallel int     // systems at a time
	Against  string  // revision of the older build; empty: none
	Waiting  string  // sizes for growth
	Profile  string  // folder for profiles and counts; empty: none

	list      bool
	only, out string
}

func parse(args []string, help io.Writer) (o Options, err error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(help)
	fs.BoolVar(&o.list, "list", false, "list the benchmarks and end")
	fs.StringVar(&o.only, "only", "", "comma-separated `names` of those to run, or of groups; empty: all but the ones that run only when named")
	fs.BoolVar(&o.Short, "short", false, "small models, each of less than a minute: they show that it works, not how well")
	fs.Uint64Var(&o.Seed, "seed", 1, "of everything that is drawn")
	fs.StringVar(&o.out, "out", "", "`folder` for bench/*.json, pictures/*.png and the tables in operations/*.md; empty: none are written")
	fs.IntVar(&o.Parallel, "parallel", max(runtime.NumCPU(), 2), "how many systems run at a time: most of a run is waiting")
	fs.IntVar(&o.Pairs, "pairs", 20, "`number` of measurements of each side for each ratio, in turns; a ratio of fewer than 20 is not judged")
	fs.Float64Var(&o.Scale, "scale", 1, "`part` of the users of the benchmarks that count them in thousands")
	fs.StringVar(&o.Against, "against", "", "`revision` of this repository to build and to measure in turns with this one")
	fs.StringVar(&o.Waiting, "waiting", "1000,10000,50000", "`sizes` of growth, ascending: how many wait")
	fs.StringVar(&o.Profile, "profile", "", "`folder` for processor profiles, counts of store calls and SQL statements, from one more round after each measurement")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 || o.Parallel < 1 || o.Pairs < 1 || o.Scale <= 0 {
		return o, fmt.Errorf("unexpected argument %q, or a number below 1 (-help lists the flags)", fs.Args())
	}
	return o, nil
}

// Main is the program: it returns the exit code, 1 if a promise is broken or something cannot be measured.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, benches []Bench) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil && o.list:
		for _, b := range benches {
			fmt.Fprintf(stdout, "%-10s %s%s\n", b.Name, b.About, map[bool]string{true: " (runs only when named)"}[b.Extra])
		}
		return 0
	case err == nil:
		err = runAll(ctx, o, args, stdout, stderr, benches)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// choose selects by name or group. With an older build only those remain that can measure it.
func choose(benches []Bench, o Options) ([]Bench, error) {
	names := strings.FieldsFunc(o.only, func(r rune) bool { return r == ',' || r == ' ' })
	chosen := slices.DeleteFunc(slices.Clone(benches), func(b Bench) bool {
		named, group := slices.Contains(names, b.Name), len(names) == 0 || slices.Contains(names, b.Group)
		return !named && (b.Extra || !group) || o.Against != "" && !b.Against
	})
	for _, name := range names {
		if !slices.ContainsFunc(benches, func(b Bench) bool { return b.Name == name || b.Group == name }) {
			return nil, fmt.Errorf("there is no benchmark %q (-list)", name)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("none of %q can be measured against an older build (-list)", o.only)
	}
	return chosen, nil
}

func runAll(ctx context.Context, o Options, args []string, stdout, stderr io.Writer, benches []Bench) error {
	chosen, err := choose(benches, o)
	if err != nil {
		return err
	}
	dir, remove, err := TempDir()
	if err != nil {
		return err
	}
	defer remove()
	env := NewEnv(dir, o, stderr)
	env.versions = versions(ctx) // of what is built now: the tree may change while it is measured
	env.Say("building the programs and the server")
	if err := env.Build(ctx); err != nil {
		return err
	}
	return runChosen(ctx, env, args, stdout, chosen, benches)
}

// runChosen prints and saves what has ended before the next one begins: a run that is killed keeps what it has.
func runChosen(ctx context.Context, env *Env, args []string, stdout io.Writer, chosen, benches []Bench) error {
	var errs []error
	for _, b := range chosen {
		r, err := b.run(ctx, env, args)
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err != nil {
			err = fmt.Errorf("%s cannot be measured: %w", b.Name, err)
			env.Say("%v", err)
		} else {
			group := b.Group
			if env.Against != "" {
				group = against
			}
			err = conclude(stdout, env.out, group, r, benches)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (b Bench) run(ctx context.Context, env *Env, args []string) (Result, error) {
	began := time.Now()
	r := Result{
		Bench: b.Name, About: b.About, Short: env.Short, Seed: env.Seed, Against: env.Against, Began: began.UTC().Truncate(time.Second),
		Command: "go -C dev run ./bench " + strings.Join(withoutFolders(args), " "), Machine: machine(), Versions: env.versions,
	}
	report, err := b.Run(ctx, env)
	if err == nil {
		r.Report = *report
	}
	r.Took = time.Since(began).Round(time.Second).String()
	return r, err
}

// withoutFolders drops where files go: a path of this machine does not belong into the documentation.
func withoutFolders(args []string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, value := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		switch {
		case name != "out" && name != "profile":
			kept = append(kept, args[i])
		case !value:
			i++
		}
	}
	return kept
}
