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
		return &lines{out: t.stderr, total: total}
	}
	return bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(t.stderr),
		progressbar.OptionSetDescription("starting"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// bar is for a terminal. Its errors are those of writing there, and there is nobody else to tell.
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
	fmt.Fprintf(l.out, "%d of %d users (%d %%)\n", l.done, l.total, l.done*100/l.total)
}
