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
	"sync"
	"time"

	"didit-temporal/dev/procs"
)

type flags struct {
	list     bool
	only     string
	short    bool
	seed     uint64
	out      string
	parallel int
	part     string
	pairs    int
	scale    float64
}

func parse(args []string, help io.Writer) (flags, error) {
	var f flags
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(help)
	fs.BoolVar(&f.list, "list", false, "list the benchmarks and end")
	fs.StringVar(&f.only, "only", "", "comma-separated `names` of those to run, or of groups; empty: all but the ones that run only when named")
	fs.BoolVar(&f.short, "short", false, "small models, each of less than a minute: they show that it works, not how well")
	fs.Uint64Var(&f.seed, "seed", 1, "of everything that is drawn")
	fs.StringVar(&f.out, "out", "", "`folder` for bench/*.json and pictures/*.png; empty: none are written")
	fs.StringVar(&f.part, "case", "", "run only those cases of a benchmark whose `name` has this in it")
	fs.IntVar(&f.parallel, "parallel", max(runtime.NumCPU(), 2), "how many systems run at a time: most of a run is waiting")
	fs.IntVar(&f.pairs, "pairs", 20, "`number` of measurements of ours and of the other's for each ratio, in turns, and twice as many of what is short; a ratio of fewer than 20 is not judged")
	fs.Float64Var(&f.scale, "scale", 1, "`part` of the users of the benchmarks that count them in thousands")
	if err := fs.Parse(args); err != nil {
		return f, err
	}
	if fs.NArg() > 0 || f.parallel < 1 || f.pairs < 1 || f.scale <= 0 {
		return f, fmt.Errorf("unexpected argument %q, or a number below 1 (-help lists the flags)", fs.Args())
	}
	if f.part != "" && f.out != "" {
		return f, errors.New("-case and -out: a part of a benchmark must not take the place of the whole")
	}
	return f, nil
}

// Main is the program: it returns the exit code, 1 if a promise is broken or something cannot be measured.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, benches []Bench) int {
	f, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil && f.list:
		list(stdout, benches)
		return 0
	case err == nil:
		err = runAll(ctx, f, args, stdout, stderr, benches)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func list(w io.Writer, benches []Bench) {
	for _, b := range benches {
		about := b.About
		if b.Extra {
			about += " (runs only when named)"
		}
		fmt.Fprintf(w, "%-10s %s\n", b.Name, about)
	}
}

func choose(benches []Bench, only string) ([]Bench, error) {
	if only == "" {
		return slices.DeleteFunc(slices.Clone(benches), func(b Bench) bool { return b.Extra }), nil
	}
	var chosen []Bench
	for name := range strings.SplitSeq(only, ",") {
		if of := inGroup(benches, strings.TrimSpace(name)); len(of) > 0 {
			chosen = append(chosen, of...)
			continue
		}
		i := slices.IndexFunc(benches, func(b Bench) bool { return b.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no benchmark %q (-list)", name)
		}
		chosen = append(chosen, benches[i])
	}
	return chosen, nil
}

// inGroup are those of a group that run when the group is named.
func inGroup(benches []Bench, group string) []Bench {
	return slices.DeleteFunc(slices.Clone(benches), func(b Bench) bool { return b.Group != group || b.Extra })
}

func runAll(ctx context.Context, f flags, args []string, stdout, stderr io.Writer, benches []Bench) error {
	chosen, err := choose(benches, f.only)
	if err != nil {
		return err
	}
	dir, remove, err := TempDir()
	if err != nil {
		return err
	}
	defer remove()
	env := NewEnv(dir, f.parallel, stderr)
	env.Short, env.Seed, env.part, env.Pairs, env.Scale = f.short, f.seed, f.part, f.pairs, f.scale
	env.Say("building the programs and the server")
	if err := Build(ctx, dir); err != nil {
		return err
	}
	return runChosen(ctx, env, f.out, args, stdout, chosen, benches)
}

// runChosen runs those together that do not mind, and then the others one after the other. What has ended is printed and
// saved before the next one begins: a run that is killed keeps what it has.
func runChosen(ctx context.Context, env *Env, out string, args []string, stdout io.Writer, chosen, benches []Bench) error {
	var together []Result
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, b := range chosen {
		if !b.Alone {
			all.Go(func() {
				r := b.run(ctx, env, args)
				mu.Lock()
				defer mu.Unlock()
				together = append(together, r)
			})
		}
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	errs := []error{conclude(stdout, out, merge(nil, together, benches), benches)}
	for _, b := range chosen {
		if !b.Alone {
			continue
		}
		r := b.run(ctx, env, args)
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, conclude(stdout, out, []Result{r}, benches))
	}
	return errors.Join(errs...)
}

// NewEnv is an Env whose programs are in a folder.
func NewEnv(programs string, parallel int, log io.Writer) *Env {
	return &Env{Programs: programs, Pairs: 20, Scale: 1, began: time.Now(), slots: make(chan struct{}, parallel), mu: new(sync.Mutex), log: log}
}

// Build leaves the programs that benchmarks start in dir.
func Build(ctx context.Context, dir string) error {
	return errors.Join(procs.Build(ctx, dir, "./worker", "./webhook", "./starter"), procs.BuildDev(ctx, dir, "./bench/loop", "./bench/peer"))
}

func (b Bench) run(ctx context.Context, env *Env, args []string) Result {
	began := time.Now()
	r := Result{
		Bench: b.Name, About: b.About, group: b.Group, Short: env.Short, Seed: env.Seed, Began: began.UTC().Truncate(time.Second),
		Command: "go -C dev run ./bench " + strings.Join(withoutOut(args), " "), Machine: machine(), Versions: versions(ctx), Revision: revision(ctx),
	}
	report, err := b.Run(ctx, env)
	if report != nil {
		r.Report = *report
	}
	if r.err = err; err != nil {
		env.Say("%s cannot be measured: %v", b.Name, err)
	} else {
		env.Say("%s has ended: %d broken, %d missed", b.Name, len(r.Broken), len(r.Missed))
	}
	r.Took = time.Since(began).Round(time.Second).String()
	return r
}

// withoutOut drops where the results go: a path of this machine does not belong into the documentation.
func withoutOut(args []string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		switch {
		case name == "out":
			i++
		case !strings.HasPrefix(name, "out="):
			kept = append(kept, args[i])
		}
	}
	return kept
}
