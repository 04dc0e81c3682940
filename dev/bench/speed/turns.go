package speed

import (
	"context"
	"fmt"
	"time"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/run"
)

// figures are what one measurement has found, by name.
type figures map[string]float64

// measurement measures one side once; i numbers the rounds.
type measurement func(ctx context.Context, i int) (figures, error)

// side is one of those that are compared. The first one is ours.
type side struct {
	name    string
	measure measurement
	system  *system // nil: a peer
}

// turns lets all sides measure n times each, forwards and backwards in turns, so that what disturbs the machine disturbs all.
// The first round, in which connections are made and caches are filled, is left out; a short run has no other. The result is by
// the others' names.
func turns(ctx context.Context, env *run.Env, name string, n int, sides ...side) (map[string]map[string]*ratio.Pairs, error) {
	pairs, began, said := map[string]map[string]*ratio.Pairs{}, time.Now(), time.Now()
	first := run.Pick(env, 1, 0)
	for i := range n + first {
		found, err := once(ctx, i, sides)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if done := i + 1 - first; time.Since(said) > 10*time.Second || done == n {
			said = time.Now()
			left := time.Since(began) * time.Duration(n-done) / time.Duration(i+1)
			env.Say("%s: %d of %d rounds, %v to go", name, done, n, left.Round(time.Second))
		}
		if i < first {
			continue
		}
		for k, other := range sides[1:] {
			if pairs[other.name] == nil {
				pairs[other.name] = map[string]*ratio.Pairs{}
			}
			add(pairs[other.name], found[0], found[k+1])
		}
	}
	return pairs, nil
}

func once(ctx context.Context, i int, sides []side) ([]figures, error) {
	found := make([]figures, len(sides))
	for k := range sides {
		if i%2 == 1 {
			k = len(sides) - 1 - k
		}
		var err error
		if found[k], err = sides[k].measure(ctx, i); err != nil {
			return nil, fmt.Errorf("%s: %w", sides[k].name, err)
		}
	}
	return found, nil
}

// add notes the figures that both sides have.
func add(pairs map[string]*ratio.Pairs, ours, theirs figures) {
	for what := range ours {
		if _, both := theirs[what]; !both {
			continue
		}
		if pairs[what] == nil {
			pairs[what] = &ratio.Pairs{}
		}
		pairs[what].Add(ours[what], theirs[what])
	}
}

// row is one of a table of ratios, for each peer that has the figure. The target is for peers, not for an older build.
type row struct {
	what, name string
	show       func(float64) string
	target     run.Target
}

// compare adds the rows to the report, in its last table if that has the title, else in one more.
func compare(r *run.Report, title string, pairs map[string]map[string]*ratio.Pairs, sides []side, rows ...row) {
	if len(r.Tables) == 0 || r.Tables[len(r.Tables)-1].Title != title {
		columns := []string{"figure", "ours", "theirs", "of what", "ratio (95 %)", "target", ""}
		r.Tables = append(r.Tables, run.Table{Title: title, Columns: columns})
	}
	t := &r.Tables[len(r.Tables)-1]
	for _, row := range rows {
		for _, other := range sides[1:] {
			p := pairs[other.name][row.what]
			if p == nil {
				continue
			}
			target := row.target
			if other.system != nil {
				target = run.Target{}
			}
			x := r.Compare(row.name, other.name, p, target)
			t.Row(row.name, row.show(x.Ours), row.show(x.Theirs), other.name, x.Interval(), target.String(), x.Verdict())
		}
	}
}
