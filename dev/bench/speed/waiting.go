package speed

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"didit-temporal/dev/bench/ratio"
	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
)

var memory = run.Picture{
	Name: "performance-memory", Title: "memory while verifications wait", X: "verifications that wait", Y: "MB resident", Floor: 100,
}

// steps is how often memory is measured on the way.
const steps = 10

// Memory that the processes may take, however many verifications wait.
const (
	workerMB  = 250
	webhookMB = 80
	farther   = 100_000 // what is extrapolated to
)

// waiting is what many people who take their time cost.
func waiting(ctx context.Context, env *run.Env) (*run.Report, error) {
	s, err := newSystem(ctx, env, testbed.TemporalOptions{Lasting: true}, testbed.Fast{}, true)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	n := run.Pick(env, env.Times(20_000, 500), 200)
	r := &run.Report{}
	table := run.Table{
		Title:   "memory, and the size of Temporal's database (a SQLite file)",
		Columns: []string{"verifications that wait", "worker, MB", "webhook, MB", "Temporal, MB", "database, MB", "KB each"},
	}
	empty, err := s.footprint(ctx)
	if err != nil {
		return nil, err
	}
	table.Row(0, empty.worker, empty.webhook, empty.server, empty.disk, "-")
	prints := []footprint{empty}
	for i := range steps {
		about, _, err := s.begin(ctx, fmt.Sprintf("waiting-%d", i), n/steps)
		if err == nil {
			err = s.sendToEach(ctx, about)
		}
		if err != nil {
			return nil, err
		}
		now, err := s.footprint(ctx)
		if err != nil {
			return nil, err
		}
		prints = append(prints, now)
		waits := (i + 1) * (n / steps)
		env.Say("waiting: %d of %d", waits, n)
		if i%2 == 1 {
			table.Row(waits, now.worker, now.webhook, now.server, now.disk, 1000*(now.disk-empty.disk)/float64(waits))
		}
	}
	r.Tables = append(r.Tables, table)
	extrapolate(env, r, prints, n)
	return r, nil
}

// sendToEach lets each verification have one webhook, as most that wait have had.
func (s *system) sendToEach(ctx context.Context, about []verification) error {
	all, err := hooks(s.WebhookURL, about, waits, len(about))
	if err != nil {
		return err
	}
	if _, err = closed(ctx, connections, len(all), func(ctx context.Context, i int) error {
		_, err := s.flood.send(ctx, all[i])
		return err
	}); err != nil {
		return err
	}
	return s.waitIdle(ctx)
}

// footprint is in megabytes.
type footprint struct{ worker, webhook, server, disk float64 }

func (s *system) footprint(ctx context.Context) (f footprint, err error) {
	if err := testbed.Sleep(ctx, time.Second); err != nil { // what is in flight settles
		return f, err
	}
	worker, err := programUsage(ctx, s.Workers[0])
	if err != nil {
		return f, err
	}
	webhook, err := programUsage(ctx, s.Hook)
	if err != nil {
		return f, err
	}
	server, err := usageOf(s.server.PID())
	if err != nil {
		return f, err
	}
	f = footprint{worker: megabytes(worker.rss), webhook: megabytes(webhook.rss), server: megabytes(server.rss)}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.server.DBFile() + suffix); err == nil {
			f.disk += megabytes(info.Size())
		}
	}
	return f, nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// extrapolate draws the curves, and continues the second half of each to many more.
func extrapolate(env *run.Env, r *run.Report, prints []footprint, n int) {
	step := float64(n / steps)
	far := run.Table{
		Title:   fmt.Sprintf("%d waiting, extrapolated from the second half of the curves", farther),
		Columns: []string{"", fmt.Sprintf("most until %d", n), "extrapolated", "allowed"},
	}
	for _, c := range []struct {
		name string
		of   func(footprint) float64
		most float64
	}{
		{"worker, MB", func(f footprint) float64 { return f.worker }, workerMB},
		{"webhook, MB", func(f footprint) float64 { return f.webhook }, webhookMB},
		{"database, MB", func(f footprint) float64 { return f.disk }, 0},
	} {
		curve := run.Series{Picture: memory.Name, Name: c.name, Step: step}
		for _, p := range prints {
			curve.Y = append(curve.Y, c.of(p))
		}
		if c.most > 0 {
			r.Series = append(r.Series, curve)
		}
		most, then := slices.Max(curve.Y), along(curve.Y[steps/2:], steps/2+(farther-float64(n))/step)
		allowed := "-"
		if c.most > 0 {
			allowed = fmt.Sprintf("%.0f", c.most)
			r.Target(env.Short || max(most, then) <= c.most, "%s: up to %.0f with %d verifications that wait and %.0f with %d, %.0f were allowed", c.name, most, n, then, farther, c.most)
		}
		far.Row(c.name, most, then, allowed)
		r.Figure(most, "%s, most until %d", c.name, n)
	}
	r.Tables = append(r.Tables, far)
	r.Notes = append(r.Notes, "Extrapolated along the median of the slopes between all points of the second half: one measurement just before a garbage "+
		"collection does not bend it.", "A worker keeps the state of up to 1,500 workflows at hand and reads others' histories again when they get an event: "+
		"so its memory stops growing there.")
}

// along continues points, which are one apart, to x steps behind the first, along the median of the slopes between any two of
// them (Theil and Sen).
func along(y []float64, x float64) float64 {
	var slopes, levels []float64
	for i, later := range y {
		for j, earlier := range y[:i] {
			slopes = append(slopes, (later-earlier)/float64(i-j))
		}
	}
	slope := max(0, ratio.Median(slopes))
	for i := range y {
		levels = append(levels, y[i]-slope*float64(i))
	}
	return ratio.Median(levels) + slope*x
}
