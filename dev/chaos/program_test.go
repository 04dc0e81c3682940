package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is one of our processes with a supervisor that starts it again whenever it has ended, as a cluster would.
type program struct {
	name  string
	ready string // what it logs once it works
	env   []string

	mu     sync.Mutex
	now    *process
	next   chan struct{} // closed when now is another one
	killed int           // by us
	ended  int           // by itself, such as one that cannot reach Temporal at its start
}

// process is one run of a program.
type process struct {
	cmd    *exec.Cmd
	out    *output
	up     chan struct{} // closed once it works
	gone   chan struct{} // closed when it has ended
	meant  bool          // we ended it
	failed error         // of its start
}

// restartPause is between two starts of a program that ended by itself.
const restartPause = 200 * time.Millisecond

// supervise runs a program until the test ends.
func supervise(t *testing.T, name, ready string, env ...string) *program {
	t.Helper()
	p := &program{name: name, ready: ready, next: make(chan struct{})}
	p.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LOG_FORMAT=text", "METRICS_ADDR=127.0.0.1:0"}, env...)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		p.run(stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		if t.Failed() {
			t.Logf("%s logged last:\n%s", name, p.current().out.tail())
		}
	})
	return p
}

func (p *program) run(stop <-chan struct{}) {
	for {
		r := p.launch()
		select {
		case <-r.gone:
		case <-stop:
			_ = p.end(r, os.Kill)
			return
		}
		if p.note(r) {
			continue
		}
		select {
		case <-time.After(restartPause):
		case <-stop:
			return
		}
	}
}

// note counts how a process ended and reports whether we ended it.
func (p *program) note(r *process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !r.meant {
		p.ended++
	}
	return r.meant
}

func (p *program) launch() *process {
	r := &process{up: make(chan struct{}), gone: make(chan struct{})}
	r.out = &output{ready: []byte(p.ready), up: r.up}
	r.cmd = exec.Command(filepath.Join(programs, p.name))
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = p.env, r.out, r.out
	lease(r.cmd)
	started := make(chan error, 1)
	launches <- func() { started <- r.cmd.Start() }
	if r.failed = <-started; r.failed != nil {
		close(r.gone)
	} else {
		go func() {
			r.failed = r.cmd.Wait()
			close(r.gone)
		}()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = r
	close(p.next)
	p.next = make(chan struct{})
	return r
}

func (p *program) current() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// working waits for a run of the program that works.
func (p *program) working(ctx context.Context) (*process, error) {
	for {
		p.mu.Lock()
		r, next := p.now, p.next
		p.mu.Unlock()
		if r != nil {
			select {
			case <-r.gone:
			case <-r.up:
				select {
				case <-r.gone:
				default:
					return r, nil
				}
			case <-ctx.Done():
				return nil, fmt.Errorf("%s does not come up: %w\n%s", p.name, ctx.Err(), r.out.tail())
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s does not come up: %w", p.name, ctx.Err())
		}
	}
}

// kill ends the program with SIGKILL, once it works.
func (p *program) kill(ctx context.Context) error {
	r, err := p.working(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.killed++
	p.mu.Unlock()
	return p.end(r, os.Kill)
}

// end sends a signal to one process, by its id, and waits for its end.
func (p *program) end(r *process, how os.Signal) error {
	err := p.signal(r, how)
	<-r.gone
	return err
}

// signal does not wait.
func (p *program) signal(r *process, how os.Signal) error {
	p.mu.Lock()
	r.meant = true
	p.mu.Unlock()
	if r.cmd.Process == nil {
		return r.failed
	}
	if err := r.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// terminate asks the program to stop, as a deployment does.
func (p *program) terminate(r *process) error { return p.signal(r, syscall.SIGTERM) }

// counts tells how often it was killed, and how often it ended by itself.
func (p *program) counts() (killed, ended int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed, p.ended
}

// output looks for the word that a process works, and keeps the end of what it says.
type output struct {
	mu    sync.Mutex
	b     []byte
	ready []byte
	up    chan struct{}
	isUp  bool
}

const keepOutput = 16 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b = append(o.b, p...)
	if !o.isUp && bytes.Contains(o.b, o.ready) {
		o.isUp = true
		close(o.up)
	}
	if len(o.b) > 2*keepOutput {
		o.b = append([]byte(nil), o.b[len(o.b)-keepOutput:]...)
	}
	return len(p), nil
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b[max(0, len(o.b)-keepOutput/4):])
}
