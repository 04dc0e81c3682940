// Package postgres runs the PostgreSQL of the operating system's packages as a child process, empty and for one run.
package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"didit-temporal/dev/port"
)

// User is the superuser. It needs no password: only this machine can reach the server.
const User = "temporal"

// ErrNotInstalled says that there is no PostgreSQL here, and what to do about it.
var ErrNotInstalled = errors.New("PostgreSQL is not installed (apt-get install postgresql)")

// Server is a running one.
type Server struct {
	Address string // host:port

	cmd *exec.Cmd
	dir string
}

// Start makes an empty server, with more settings such as "-c", "name=value". It dies with this process.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postgres-*")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(ctx, bin, who, settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// Version is that of the server that Start would start, such as "15.18".
func Version(ctx context.Context) (string, error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output() //nolint:gosec // G204: the operating system's
	_, version, _ := strings.Cut(string(out), ") ")                                            // postgres (PostgreSQL) 15.18 (Debian ...)
	version, _, _ = strings.Cut(strings.TrimSpace(version), " ")
	return version, err
}

func (s *Server) start(ctx context.Context, bin string, who account, settings []string) error {
	if err := who.own(s.dir); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	//nolint:gosec // G204: the program is the operating system's
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", User, "--auth=trust", "--encoding=UTF8", "--locale=C")
	initdb.Dir = s.dir
	who.run(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	n, err := port.Pick("127.0.0.1", 0)
	if err != nil {
		return err
	}
	s.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(n))
	var log bytes.Buffer
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(bin, "postgres"), //nolint:gosec // G204: the same
		append([]string{"-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(n), "-k", s.dir}, settings...)...)
	s.cmd.Dir, s.cmd.Stderr = s.dir, &log
	who.run(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	if err := s.ready(ctx, filepath.Join(bin, "pg_isready"), n); err != nil {
		s.end()
		return fmt.Errorf("PostgreSQL does not come up: %w\n%s", err, log.String())
	}
	return nil
}

// ready waits until it takes connections.
func (s *Server) ready(ctx context.Context, check string, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := exec.CommandContext(ctx, check, "-h", "127.0.0.1", "-p", strconv.Itoa(n)).Run() //nolint:gosec // G204: the same
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Query runs statements in a database, each in a transaction of its own, and returns the lines that they answer, with columns
// between two spaces.
func (s *Server) Query(ctx context.Context, database string, statements ...string) (lines string, err error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	host, n, err := net.SplitHostPort(s.Address)
	if err != nil {
		return "", err
	}
	args := []string{"-X", "-q", "-A", "-t", "-F", "  ", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", n, "-U", User, "-d", database}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "psql"), args...).CombinedOutput() //nolint:gosec // G204: the operating system's
	if err != nil {
		return "", fmt.Errorf("query the database: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Close ends it and forgets what it holds.
func (s *Server) Close() {
	s.end()
	_ = os.RemoveAll(s.dir)
}

func (s *Server) end() {
	_ = s.cmd.Process.Signal(os.Interrupt) // "fast": it closes all connections
	ended := make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-ended
	}
}

// programs is the folder of the newest version: Debian keeps them out of the PATH.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNotInstalled
	}
	return filepath.Dir(initdb), nil
}
