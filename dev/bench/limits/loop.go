package limits

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/procs"
)

// loop is a running process of dev/bench/loop.
type loop struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func startLoop(ctx context.Context, env *run.Env, outcomes *outcomes, args ...string) (*loop, error) {
	// It is not bound to ctx: wait and kill end it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(env.Programs, "loop"), args...) //nolint:gosec // G204: we have just built it
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := procs.Start(cmd); err != nil {
		return nil, err
	}
	l := &loop{cmd: cmd, done: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(l.done)
		defer stop()
		outcomes.read(out)
		_ = cmd.Wait()
	}()
	return l, nil
}

func (l *loop) wait() { <-l.done }

func (l *loop) kill() {
	_ = l.cmd.Process.Kill()
	<-l.done
}

// outcomes is what loops have printed about their users.
type outcomes struct {
	mu   sync.Mutex
	ok   map[string]time.Time
	lost map[string]string
}

func newOutcomes() *outcomes { return &outcomes{ok: map[string]time.Time{}, lost: map[string]string{}} }

// read takes lines such as "ok user" and "lost user why". The first ok counts.
func (t *outcomes) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		user, why, _ := strings.Cut(rest, " ")
		t.mu.Lock()
		if _, known := t.ok[user]; word == "ok" && !known {
			t.ok[user] = time.Now()
		} else if word == "lost" {
			t.lost[user] = why
		}
		t.mu.Unlock()
	}
}

// all are the users who have a URL, and since when.
func (t *outcomes) all() map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := map[string]time.Time{}
	for k, v := range t.ok {
		m[k] = v
	}
	return m
}

func (t *outcomes) reasons() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := map[string]int{}
	for user, why := range t.lost {
		if _, ok := t.ok[user]; !ok {
			n[why]++
		}
	}
	return n
}

func (t *outcomes) reach(ctx context.Context, n int) error {
	for len(t.all()) < n {
		if err := testbed.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
