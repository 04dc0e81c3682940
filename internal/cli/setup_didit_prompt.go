package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// prompt asks a person. Answers may also be piped in, one a line.
type prompt struct {
	in    io.Reader
	out   io.Writer
	lines *bufio.Reader
}

// errNoAnswer means that nobody is there to answer.
var errNoAnswer = errors.New("no answer: stdin has ended")

// line asks for a line of text.
func (p *prompt) line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.out, question+" ")
	if p.lines == nil {
		p.lines = bufio.NewReader(p.in)
	}
	return p.wait(ctx, func() (string, error) {
		text, err := p.lines.ReadString('\n')
		if errors.Is(err, io.EOF) && text == "" {
			return "", errNoAnswer
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimSpace(text), err
	})
}

// hidden asks for what must not be seen. It asks twice where a person types, who cannot see a slip.
func (p *prompt) hidden(ctx context.Context, question string) (string, error) {
	f, ok := p.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p.line(ctx, question)
	}
	for {
		first, err := p.unseen(ctx, f, question)
		if err != nil {
			return "", err
		}
		again, err := p.unseen(ctx, f, "Once more:")
		if err != nil || again == first {
			return first, err
		}
		fmt.Fprintln(p.out, "They differ.")
	}
}

func (p *prompt) unseen(ctx context.Context, f *os.File, question string) (string, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(p.out, question+" ")
	text, err := p.wait(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	fmt.Fprintln(p.out)
	if errors.Is(err, errInterrupted) {
		_ = term.Restore(fd, before) // the read that still waits has switched the echo off
	}
	if errors.Is(err, io.EOF) {
		err = errNoAnswer
	}
	return text, err
}

// wait ends with ctx, although a read of a terminal cannot be ended; the process ends soon after.
func (p *prompt) wait(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := read()
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", errInterrupted
	case a := <-got:
		return a.text, a.err
	}
}
