package scan

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/procs"
)

// buffer collects what a process says, all of it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *buffer) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// process is one of our programs.
type process struct {
	name string
	log  *buffer
	stop func()
}

// launch starts a program and returns once it works.
func (w *env) launch(name string, args []string, env ...string) *process {
	w.t.Helper()
	return w.launchFile(filepath.Join(programs, name), name, procs.Ready(name, args...), args, env...)
}

func (w *env) launchFile(file, name, ready string, args []string, env ...string) *process {
	w.t.Helper()
	p := &process{name: name, log: &buffer{}}
	cmd := exec.Command(file, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.t.TempDir(), "LOG_LEVEL=debug"}, env...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	require.NoError(w.t, procs.Start(cmd))
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	p.stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			w.t.Error(err)
		}
		<-gone //nolint:errcheck // however it ended
	})
	w.t.Cleanup(p.stop)
	w.eventually(func() bool { return bytes.Contains(p.log.bytes(), []byte(ready)) }, name+" is ready")
	w.processes = append(w.processes, p)
	return p
}

func (w *env) stop(name string) {
	for _, p := range w.processes {
		if p.name == name {
			p.stop()
		}
	}
}

// cli runs a command of the starter to its end, keeps what it prints and returns it.
func (w *env) cli(args ...string) (out string, code int) {
	w.t.Helper()
	return w.cliWith(nil, args...)
}

func (w *env) cliWith(env []string, args ...string) (out string, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.within(timeout), filepath.Join(programs, "starter"), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.t.TempDir()}, append(w.temporal(), env...)...)
	both, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		w.t.Error(err)
		return "", -1
	}
	s := sink{name: "command starter " + args[0], data: both}
	if args[0] == "start" {
		s.may = []class{classSession, classErased}
	}
	w.keep(s)
	return string(both), cmd.ProcessState.ExitCode()
}

func must(t *testing.T, out string, code int) {
	t.Helper()
	require.Zero(t, code, out)
}
