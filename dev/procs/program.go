package procs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Program is one of our processes with a supervisor that starts it again whenever it has ended, as a cluster would.
type Program struct {
	file  string
	args  []string
	ready string // what it logs once it works
	env   []string

	stop, stopped chan struct{}
	once          sync.Once
	last          os.Signal // how Stop ends it

	mu   sync.Mutex
	now  *Process
	next chan struct{} // closed when now is another one

	killed atomic.Int32 // by us
	ended  atomic.Int32 // by itself, such as one that cannot reach Temporal at its start
}

// Process is one run of a program.
type Process struct {
	cmd   *exec.Cmd
	out   *output
	up    chan struct{} // closed once it works
	gone  chan struct{} // closed when it has ended
	meant atomic.Bool   // we ended it
	err   error         // how it ended
}

// restartPause is between two starts of a program that ended by itself.
const restartPause = 200 * time.Millisecond

// ready is what each program logs once it works, by its name and its first argument.
var ready = map[string]string{
	"worker": "worker runs", "webhook": "webhook listens", "peer": "peer runs",
	"starter serve": "api listens", "starter codec-server": "codec server listens",
}

// Ready is what the program of that name logs once it works.
func Ready(name string, args ...string) string {
	return ready[strings.Join(append([]string{name}, args[:min(len(args), 1)]...), " ")]
}

// Supervise runs the program in the file until Stop. It gets the environment env, HOME, PATH, and nothing else.
func Supervise(file string, args []string, home string, env ...string) *Program {
	p := &Program{
		file: file, args: args, ready: Ready(filepath.Base(file), args...),
		next: make(chan struct{}), stop: make(chan struct{}), stopped: make(chan struct{}), last: os.Kill,
	}
	p.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LOG_FORMAT=text", "METRICS_ADDR=127.0.0.1:0"}, env...)
	go func() {
		defer close(p.stopped)
		p.run()
	}()
	return p
}

// Stop kills the program and does not start it again.
func (p *Program) Stop() { p.end(os.Kill) }

// Retire asks the program to stop, as a deployment does, waits for it, and does not start it again.
func (p *Program) Retire() { p.end(syscall.SIGTERM) }

func (p *Program) end(how os.Signal) {
	p.once.Do(func() {
		p.last = how
		close(p.stop)
	})
	<-p.stopped
}

// Name is the name of the file.
func (p *Program) Name() string { return filepath.Base(p.file) }

func (p *Program) run() {
	for {
		r := p.launch()
		select {
		case <-r.gone:
		case <-p.stop:
			_ = p.End(r, p.last)
			return
		}
		if r.meant.Load() {
			continue
		}
		p.ended.Add(1)
		select {
		case <-time.After(restartPause):
		case <-p.stop:
			return
		}
	}
}

func (p *Program) launch() *Process {
	r := &Process{up: make(chan struct{}), gone: make(chan struct{})}
	r.out = &output{ready: []byte(p.ready), up: r.up}
	r.cmd = exec.CommandContext(context.Background(), p.file, p.args...) //nolint:gosec // G204: we have built it
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = p.env, r.out, r.out
	if r.err = Start(r.cmd); r.err != nil {
		close(r.gone)
	} else {
		go func() {
			r.err = r.cmd.Wait()
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

// Log returns the end of what the newest run has said.
func (p *Program) Log() string {
	p.mu.Lock()
	r := p.now
	p.mu.Unlock()
	if r == nil {
		return ""
	}
	return r.out.tail()
}

// PID is the number of the process.
func (r *Process) PID() int { return r.cmd.Process.Pid }

// Wait waits for the end of the process and returns how it ended.
func (r *Process) Wait() error {
	<-r.gone
	return r.err
}

// Working waits for a run of the program that works.
func (p *Program) Working(ctx context.Context) (*Process, error) {
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
				return nil, fmt.Errorf("%s does not come up: %w\n%s", p.Name(), ctx.Err(), r.out.tail())
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s does not come up: %w", p.Name(), ctx.Err())
		}
	}
}

// Kill ends the program with SIGKILL, once it works.
func (p *Program) Kill(ctx context.Context) error {
	r, err := p.Working(ctx)
	if err != nil {
		return err
	}
	p.killed.Add(1)
	return p.End(r, os.Kill)
}

// End sends a signal to one process, by its id, and waits for its end.
func (p *Program) End(r *Process, how os.Signal) error {
	err := p.signal(r, how)
	<-r.gone
	return err
}

// signal does not wait.
func (p *Program) signal(r *Process, how os.Signal) error {
	r.meant.Store(true)
	if r.cmd.Process == nil {
		return r.err
	}
	if err := r.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Terminate asks the program to stop, as a deployment does.
func (p *Program) Terminate(r *Process) error { return p.signal(r, syscall.SIGTERM) }

// Counts returns how often it was killed, and how often it ended by itself.
func (p *Program) Counts() (killed, ended int) {
	return int(p.killed.Load()), int(p.ended.Load())
}

// output waits for the line that a process works, and keeps the end of what it says.
type output struct {
	Tail
	ready []byte
	up    chan struct{}
	isUp  bool
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(p)
	if !o.isUp && bytes.Contains(o.b, o.ready) {
		o.isUp = true
		close(o.up)
	}
	return len(p), nil
}

func (o *output) tail() string { return o.Last(4 << 10) }
