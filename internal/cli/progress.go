package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows on stderr how far a bulk start has come.
type progress interface {
	step() // one more user is done
	tick() // some seconds have passed
	hide() // make room for a line of output
}

func (t *tool) newProgress(total int) progress {
	if !t.terminal {
		return &lines{out: t.stderr, total: total, now: t.now, begun: t.now()}
	}
	return bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(t.stderr),
		progressbar.OptionSetDescription("starting"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), // and the time left, by itself
		progressbar.OptionSetItsString("users"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// bar is for a terminal. Its errors are those of writing there, and there is no other place to report them.
type bar struct{ b *progressbar.ProgressBar }

func (p bar) step() { _ = p.b.Add(1) }
func (p bar) tick() { _ = p.b.RenderBlank() }
func (p bar) hide() { _ = p.b.Clear() }

// lines is for logs and pipes: a line at each tenth, and one when a tick brought nothing else.
type lines struct {
	out         io.Writer
	total, done int
	tenths      int
	fresh       bool // there was a line since the last tick
	now         func() time.Time
	begun       time.Time
}

func (l *lines) step() {
	l.done++
	if tenths := l.done * 10 / l.total; tenths > l.tenths {
		l.tenths = tenths
		l.print()
	}
}

func (l *lines) tick() {
	if !l.fresh {
		l.print()
	}
	l.fresh = false
}

func (l *lines) hide() {}

func (l *lines) print() {
	l.fresh = true
	fmt.Fprintf(l.out, "%d of %d users (%d %%)%s\n", l.done, l.total, l.done*100/l.total, pace(l.done, l.total, l.now().Sub(l.begun)))
}

// pace is the rate and the time left at that rate.
func pace(done, total int, took time.Duration) string {
	if done == 0 || took <= 0 {
		return ""
	}
	text := fmt.Sprintf(", %.1f a second", float64(done)/took.Seconds())
	if took > time.Duration(done)*time.Second {
		text = fmt.Sprintf(", %.1f a minute", float64(done)/took.Minutes())
	}
	if left := took / time.Duration(done) * time.Duration(total-done); left > 0 {
		text += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return text
}
