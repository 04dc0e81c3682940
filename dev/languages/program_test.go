package languages

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/procs"
	"didit-temporal/kyc"
)

// program is a process of another language, read line by line.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // of stdout; closed at its end
	errs  strings.Builder
}

// launch runs a command until it ends or the test does.
func launch(t *testing.T, command, env []string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.CommandContext(t.Context(), command[0], command[1:]...), lines: make(chan string, 100)}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), env...), &p.errs
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdin = stdin
	require.NoError(t, procs.Start(p.cmd))
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = p.cmd.Process.Kill()
		<-read
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("%v wrote:\n%s", command, p.errs.String())
		}
	})
	return p
}

// line waits for the next line.
func (p *program) line() string {
	p.t.Helper()
	select {
	case line, more := <-p.lines:
		require.True(p.t, more, "the program has ended: it wrote no more lines")
		return line
	case <-p.t.Context().Done():
		require.Fail(p.t, "the test has ended")
		return ""
	}
}

// order is a line for a driver, reply its answer.
type order struct {
	ID     int        `json:"id"`
	Do     string     `json:"do"`
	UserID string     `json:"user_id,omitempty"`
	Input  *kyc.Input `json:"input,omitempty"`
}

type reply struct {
	ID int `json:"id"`
	OK struct {
		State struct {
			SessionID string      `json:"session_id"`
			Status    string      `json:"status"`
			Outcome   kyc.Outcome `json:"outcome"`
			Checks    []kyc.Check `json:"checks"`
		} `json:"state"`
		Session *kyc.Session `json:"session"`
	} `json:"ok"`
	Error, Type, Message string
}

// driver is a client of another language that does what it is sent.
type driver struct {
	*program
	mu      sync.Mutex
	next    int
	waiting map[int]chan reply
}

func (s *system) drive(tools toolset) *driver {
	s.t.Helper()
	d := &driver{program: launch(s.t, tools.driver, s.env(tools)), waiting: map[int]chan reply{}}
	go func() {
		for line := range d.lines {
			var r reply
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				s.t.Errorf("%s: %v", line, err)
				return
			}
			d.mu.Lock()
			d.waiting[r.ID] <- r
			d.mu.Unlock()
		}
	}()
	return d
}

func (s *system) env(tools toolset) []string {
	return append([]string{"TEMPORAL_ADDRESS=" + s.address, "PAYLOAD_KEYS=" + s.keys, "RESULT_SECRET=" + resultSecret, "PORT=0"}, tools.env...)
}

// send returns where the answer is going to be.
func (d *driver) send(o order) <-chan reply {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	o.ID = d.next
	d.waiting[o.ID] = make(chan reply, 1)
	line, err := json.Marshal(o)
	require.NoError(d.t, err)
	_, err = d.stdin.Write(append(line, '\n'))
	require.NoError(d.t, err)
	return d.waiting[o.ID]
}

func (d *driver) do(o order) reply {
	d.t.Helper()
	select {
	case r := <-d.send(o):
		return r
	case <-d.t.Context().Done():
		require.Fail(d.t, "the test has ended")
		return reply{}
	}
}

// start is an order that succeeds.
func (d *driver) start(in kyc.Input) reply {
	d.t.Helper()
	r := d.do(order{Do: "start", Input: &in})
	require.Empty(d.t, r.Error, r.Message)
	return r
}

func (d *driver) state(user string) reply {
	d.t.Helper()
	return d.do(order{Do: "state", UserID: user})
}
