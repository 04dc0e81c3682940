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

// newPrompt asks questions on out and reads the answers from in.
func newPrompt(in io.Reader, out io.Writer) *prompt {
	return &prompt{in: in, out: out, lines: bufio.NewReader(in)}
}

// errNoAnswer means that standard input has ended.
var errNoAnswer = errors.New("no answer: stdin has ended")

// line asks for a line of text.
func (p *prompt) line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.out, question+" ")
	return await(ctx, func() (string, error) {
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

// hidden asks without echo. On a terminal it asks twice, because a typing mistake is invisible.
func (p *prompt) hidden(ctx context.Context, question string) (string, error) {
	f, ok := p.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p.line(ctx, question)
	}
	for {
		first, err := p.readHidden(ctx, f, question)
		if err != nil {
			return "", err
		}
		again, err := p.readHidden(ctx, f, "Once more:")
		if err != nil || again == first {
			return first, err
		}
		fmt.Fprintln(p.out, "They differ.")
	}
}

func (p *prompt) readHidden(ctx context.Context, f *os.File, question string) (string, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(p.out, question+" ")
	text, err := await(ctx, func() (string, error) {
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

// await returns when ctx ends, although a read of a terminal cannot be cancelled; the process ends soon after.
func await(ctx context.Context, read func() (string, error)) (string, error) {
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
