package run

import (
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// Series is a curve of a group's picture; the first point is at 0 s, the next ones Step seconds apart.
type Series struct {
	Name string    `json:"name"`
	Step float64   `json:"step_seconds"`
	Y    []float64 `json:"y"`
}

// colours differ in print and for people who see fewer of them.
var colours = []color.RGBA{{0, 114, 178, 255}, {230, 159, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {86, 180, 233, 255}}

// draw makes the picture of a group, if there are curves: requests that Didit got, by the second.
func draw(file string, results []Result) error {
	canvas, n := newCanvas(), 0
	for _, r := range results {
		for _, s := range r.Series {
			line, err := plotter.NewLine(s.points())
			if err != nil {
				return err
			}
			line.Color, line.Width = colours[n%len(colours)], vg.Points(1.8)
			if strings.Contains(s.Name, "limit") { // the line that must not be crossed
				line.Color, line.Dashes = color.RGBA{200, 0, 0, 255}, []vg.Length{vg.Points(6), vg.Points(4)}
			}
			n++
			canvas.Add(line)
			canvas.Legend.Add(s.Name, line)
		}
	}
	if n == 0 {
		return nil
	}
	canvas.X.Min, canvas.Y.Min, canvas.Y.Max = 0, 0, max(400, 1.15*canvas.Y.Max)
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return canvas.Save(9*vg.Inch, 4.4*vg.Inch, file)
}

func newCanvas() *plot.Plot {
	c := plot.New()
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = "1,200 signups at once: requests that Didit got in the last 60 seconds",
		"seconds since the signups", "writes in the last 60 s"
	c.Title.TextStyle.Font.Size, c.Title.Padding = vg.Points(13), vg.Points(8)
	c.X.Padding, c.Y.Padding = 0, 0
	c.Legend.Top, c.Legend.XOffs, c.Legend.YOffs, c.Legend.Padding = true, vg.Points(-8), vg.Points(-6), vg.Points(3)
	for _, style := range []*text.Style{
		&c.Title.TextStyle, &c.X.Label.TextStyle, &c.Y.Label.TextStyle, &c.X.Tick.Label, &c.Y.Tick.Label, &c.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	c.Add(plotter.NewGrid())
	return c
}

func (s Series) points() plotter.XYs {
	xy := make(plotter.XYs, len(s.Y))
	for i, y := range s.Y {
		xy[i] = plotter.XY{X: float64(i) * s.Step, Y: y}
	}
	return xy
}
