package tserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"didit-temporal/dev/procs"
)

const stopLimit = 20 * time.Second // more than the child allows itself

// process is one run of the command.
type process struct {
	cmd    *exec.Cmd
	leash  io.Closer
	log    procs.Tail             // empty: it goes elsewhere
	ready  chan map[string]string // gets what the READY line says
	exited chan struct{}
	err    error // how it exited; read after exited
}

func launch(bin string, stderr *os.File, args ...string) (*process, error) {
	// It outlives the context of its start.
	cmd := exec.CommandContext(context.Background(), bin, args...) //nolint:gosec // G204: we have just built it
	p := &process{cmd: cmd, ready: make(chan map[string]string, 1), exited: make(chan struct{})}
	if cmd.Stderr = &p.log; stderr != nil {
		cmd.Stderr = stderr
	}
	detach(cmd)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.leash = stdin
	go p.follow(stdout)
	return p, nil
}

// follow reads stdout to its end, which is also what makes Wait safe to call.
func (p *process) follow(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "READY "); ok {
			p.ready <- fields(rest)
			break
		}
	}
	_, _ = io.Copy(io.Discard, stdout)
	p.err = p.cmd.Wait()
	close(p.exited)
}

// fields reads "key=value key=value".
func fields(line string) map[string]string {
	m := map[string]string{}
	for _, f := range strings.Fields(line) {
		k, v, _ := strings.Cut(f, "=")
		m[k] = v
	}
	return m
}

// waitReady returns the addresses; on failure the process is gone and the error holds its last words.
func (p *process) waitReady(ctx context.Context) (map[string]string, error) {
	select {
	case m := <-p.ready:
		return m, nil
	case <-p.exited:
		return nil, fmt.Errorf("the server ended before it was ready: %w\n%s", p.err, p.tail())
	case <-ctx.Done():
		err := fmt.Errorf("the server is not ready: %w\n%s", context.Cause(ctx), p.tail())
		return nil, errors.Join(err, p.kill())
	}
}

// stop lets go of the leash and waits.
func (p *process) stop() error {
	_ = p.leash.Close()
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		return errors.Join(fmt.Errorf("the server did not stop within %v\n%s", stopLimit, p.tail()), p.kill())
	}
	if p.err != nil {
		return fmt.Errorf("the server: %w\n%s", p.err, p.tail())
	}
	return nil
}

// kill ends the process without a chance to tidy up. It is no error if it is gone already.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-p.exited // which has closed the leash too
	return err
}

// tail is the end of what the process logged.
func (p *process) tail() string { return strings.TrimSpace(p.log.Last(8 << 10)) }
