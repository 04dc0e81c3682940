package run

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"didit-temporal/dev/bench/ratio"
)

// Ratio is a figure of ours divided by a peer's, both measured in turns in one run.
type Ratio struct {
	Name   string  `json:"name"`
	Peer   string  `json:"peer"`
	Ours   float64 `json:"ours"`
	Theirs float64 `json:"theirs"`
	Median float64 `json:"ratio"`
	Low    float64 `json:"low"`  // of the 95 % interval
	High   float64 `json:"high"` // of the 95 % interval
	Pairs  int     `json:"pairs"`
	Target Target  `json:"target"`
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
	q := p.Ratio()
	x := Ratio{
		Name: name, Peer: peer, Ours: p.Ours(), Theirs: p.Theirs(), Median: q.Median, Low: q.Low, High: q.High, Pairs: q.Pairs, Target: target,
	}
	if math.IsNaN(x.Median) {
		x.Median, x.Low, x.High = 0, 0, 0 // JSON has no word for it
	}
	r.Ratios = append(r.Ratios, x)
	if v := x.Verdict(); v == "missed" || v == "not shown" {
		r.Target(false, "%s (%s): %s of %s, %v was wanted", name, v, x.Interval(), peer, target)
	}
	return x
}

// drawRatios draws all ratios with their intervals, each beside its target: what is left of 1 is less than the peer's.
func drawRatios(file string, results []Result) error {
	var all []Ratio
	for _, r := range results {
		for _, x := range r.Ratios {
			if x.Median > 0 && x.Target != (Target{}) {
				all = append(all, x)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Reverse(all) // the first one on top
	canvas := Picture{Title: "ours divided by the peer's, measured in turns: median, 95 % interval, target", X: "ratio"}.canvas()
	names := make([]string, len(all))
	for i, x := range all {
		names[i] = x.Name
		if err := x.draw(canvas, float64(i)); err != nil {
			return err
		}
	}
	canvas.NominalY(names...)
	canvas.X.Scale, canvas.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(ratioTicks())
	canvas.X.Min, canvas.X.Max = min(0.5, canvas.X.Min), max(2, canvas.X.Max)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return paint(canvas, file, vg.Length(1.2+0.22*float64(len(all)))*vg.Inch)
}

func ratioTicks() (ticks []plot.Tick) {
	for _, x := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100} {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprint(x)})
	}
	return ticks
}

// draw draws one ratio at a height: green if its target is reached, else orange, grey if it is not judged.
func (r Ratio) draw(canvas *plot.Plot, y float64) error {
	colour := color.RGBA{130, 130, 130, 255}
	switch r.Verdict() {
	case "reached":
		colour = color.RGBA{0, 158, 115, 255}
	case "missed", "not shown":
		colour = color.RGBA{213, 94, 0, 255}
	}
	line, err := plotter.NewLine(plotter.XYs{{X: r.Low, Y: y}, {X: r.High, Y: y}})
	if err != nil {
		return err
	}
	line.Color, line.Width = colour, vg.Points(2.5)
	point, err1 := plotter.NewScatter(plotter.XYs{{X: r.Median, Y: y}})
	target, err2 := plotter.NewScatter(plotter.XYs{{X: cmp.Or(r.Target.Least, r.Target.Most), Y: y}})
	if err := cmp.Or(err1, err2); err != nil {
		return err
	}
	point.GlyphStyle = vgdraw.GlyphStyle{Color: colour, Radius: vg.Points(4), Shape: vgdraw.CircleGlyph{}}
	target.GlyphStyle = vgdraw.GlyphStyle{Color: red, Radius: vg.Points(5), Shape: vgdraw.PlusGlyph{}}
	canvas.Add(line, point, target)
	return nil
}
