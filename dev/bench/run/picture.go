package run

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Picture is a picture that series are drawn into, by its name.
type Picture struct {
	Name, Title, X, Y string
	Floor             float64 // the least that the vertical axis reaches up to
}

// colours differ in print and for people who see fewer of them; the limit is red.
var (
	colours = []color.RGBA{{0, 114, 178, 255}, {230, 159, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {86, 180, 233, 255}}
	red     = color.RGBA{200, 0, 0, 255}
)

// draw makes all pictures for which there are curves.
func draw(dir string, results []Result, benches []Bench) error {
	pictures, curves := map[string]Picture{}, map[string][]Series{}
	for _, b := range benches {
		pictures[b.Picture.Name] = b.Picture
	}
	for _, r := range results {
		for _, s := range r.Series {
			curves[s.Picture] = append(curves[s.Picture], s)
		}
	}
	for name, all := range curves {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		if err := pictures[name].draw(filepath.Join(dir, name+".png"), all); err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
	}
	return nil
}

// canvas is the empty picture.
func (p Picture) canvas() *plot.Plot {
	c := plot.New()
	c.BackgroundColor = color.White
	c.Title.Text, c.X.Label.Text, c.Y.Label.Text = p.Title, p.X, p.Y
	c.Title.TextStyle.Font.Size, c.Title.Padding = vg.Points(13), vg.Points(8)
	c.X.Padding, c.Y.Padding = 0, 0
	c.Legend.Top, c.Legend.XOffs, c.Legend.YOffs, c.Legend.Padding = true, vg.Points(-8), vg.Points(-6), vg.Points(3)
	for _, style := range []*text.Style{
		&c.Title.TextStyle, &c.X.Label.TextStyle, &c.Y.Label.TextStyle, &c.X.Tick.Label, &c.Y.Tick.Label, &c.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{240}
	c.Add(grid)
	return c
}

func (p Picture) draw(file string, curves []Series) error {
	canvas := p.canvas()
	drawn := map[string]bool{}
	for _, s := range curves {
		if drawn[s.Name] { // several benchmarks have the limit
			continue
		}
		line, err := plotter.NewLine(s.points())
		if err != nil {
			return err
		}
		line.Color, line.Width = colours[len(drawn)%len(colours)], vg.Points(1.8)
		if s.limit() {
			line.Color, line.Dashes = red, []vg.Length{vg.Points(6), vg.Points(4)}
		}
		drawn[s.Name] = true
		canvas.Add(line)
		canvas.Legend.Add(s.Name, line)
	}
	canvas.X.Min, canvas.Y.Min, canvas.Y.Max = 0, 0, max(p.Floor, 1.15*canvas.Y.Max)
	return paint(canvas, file, 4.4*vg.Inch)
}

// paint leaves a margin, and enough pixels for a screen that has many.
func paint(canvas *plot.Plot, file string, height vg.Length) error {
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(9*vg.Inch, height), vgimg.UseDPI(144), vgimg.UseBackgroundColor(color.White))}
	margin := vg.Points(12)
	canvas.Draw(vgdraw.Crop(vgdraw.New(png), margin, -2*margin, margin, -margin))
	var b bytes.Buffer
	if _, err := png.WriteTo(&b); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// limit reports whether it is the line that must not be crossed.
func (s Series) limit() bool { return strings.Contains(s.Name, "limit") }

func (s Series) points() plotter.XYs {
	xy := make(plotter.XYs, 0, len(s.Y))
	for i, y := range slices.All(s.Y) {
		xy = append(xy, plotter.XY{X: float64(i) * s.Step, Y: y})
	}
	return xy
}
