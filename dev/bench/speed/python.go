package speed

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/port"
	"didit-temporal/dev/procs"
	"didit-temporal/didit"
)

// python is Debian's, which finds Debian's packages.
const python = "/usr/bin/python3"

// errNoPython says that a peer is left out.
var errNoPython = errors.New("needs apt-get install python3-fastapi python3-uvicorn python3-uvloop python3-httptools")

//go:embed blog.py
var blogProgram []byte

//go:embed verify.py
var verifyProgram []byte

// againstBlog compares with the receiver that Didit has published, if Python can run it.
func (s *system) againstBlog(ctx context.Context, env *run.Env, r *run.Report, t *run.Table, of func(string) string, about []verification, n int) error {
	url, stop, err := startBlog(ctx)
	if errors.Is(err, errNoPython) {
		r.Notes = append(r.Notes, "Didit's published example was not measured: "+err.Error()+".")
		return nil
	}
	if err != nil {
		return err
	}
	defer stop()
	theirs := func(ctx context.Context, _ int) (figures, error) {
		all, err := hooks(url, about, waits, n)
		if err != nil {
			return nil, err
		}
		l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
			_, err := s.flood.send(ctx, all[i])
			return err
		})
		return l.figures(), err
	}
	pairs, err := s.alternate(ctx, env, of("the published example"), fewPairs(env), s.hooked(about, n), theirs)
	if err != nil {
		return err
	}
	const peer = "published FastAPI example"
	compare(r, t, of("rate, against the example"), peer, pairs["rate"], perSecond, run.Target{})
	compare(r, t, of("p99, against the example"), peer, pairs["p99"], millis, run.Target{})
	if !strings.Contains(strings.Join(r.Notes, " "), "The published example") {
		r.Notes = append(r.Notes, "The published example (FastAPI under uvicorn, uvloop, httptools, one process) answers 200 as soon as the event is in its memory. "+
			"It does not promise that the event outlives the process, notices no repeat, checks no time, and does nothing with the event but wait two seconds.")
	}
	return nil
}

func startBlog(ctx context.Context) (url string, stop func(), err error) {
	if exec.CommandContext(ctx, python, "-c", "import fastapi, uvicorn, uvloop, httptools").Run() != nil {
		return "", nil, errNoPython
	}
	dir, remove, err := run.TempDir()
	if err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "blog.py"), blogProgram, 0o600); err != nil {
		remove()
		return "", nil, err
	}
	p, err := port.Pick("127.0.0.1", 0)
	if err != nil {
		remove()
		return "", nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), python, "-m", "uvicorn", "blog:app", "--port", strconv.Itoa(p), "--log-level", "error", //nolint:gosec // G204: ours
		"--timeout-keep-alive", "120") // as our own server
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "WEBHOOK_SECRET="+testbed.Secret)
	if err := procs.Start(cmd); err != nil {
		remove()
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		remove()
	}
	if err := listening(ctx, p); err != nil {
		stop()
		return "", nil, err
	}
	return fmt.Sprintf("http://127.0.0.1:%d/didit-webhook", p), stop, nil
}

func listening(ctx context.Context, p int) error {
	for range 100 {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
		if err == nil {
			return c.Close()
		}
		if err := testbed.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the published example does not listen")
}

// pythonVerifier times Python's json and hmac in a child process.
type pythonVerifier struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startPythonVerifier(ctx context.Context) (*pythonVerifier, error) {
	if exec.CommandContext(ctx, python, "-c", "import json, hmac").Run() != nil {
		return nil, errNoPython
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), python, "-c", string(verifyProgram)) //nolint:gosec // G204: ours
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &pythonVerifier{cmd: cmd, in: in, out: bufio.NewReader(out)}, procs.Start(cmd)
}

// perBody returns the seconds that Python needs for a body.
func (p *pythonVerifier) perBody(what string, r request) (float64, error) {
	if _, err := fmt.Fprintf(p.in, "%s %s %d\n%s", what, testbed.Secret, len(r.body), r.body); err != nil {
		return 0, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	seconds, digest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if want := r.header.Get(map[string]string{"raw": didit.HeaderSignature, "v2": didit.HeaderSignatureV2}[what]); digest != want {
		return 0, fmt.Errorf("python's %s signature is another one than ours", what)
	}
	return strconv.ParseFloat(seconds, 64)
}

func (p *pythonVerifier) close() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
