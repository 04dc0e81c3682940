// Package tserver gives tests a real Temporal server as a child process, so that no test links one: a test binary
// stays small, -race stays cheap, and the server can be killed. It dies with the test, however the test ends.
package tserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"didit-temporal/dev/port"
	"didit-temporal/kyc"
)

// AddressVariable names a server to use instead of starting one. What TEMPORAL_* says is ignored.
const AddressVariable = "KYC_TEST_TEMPORAL_ADDRESS"

// defaultPartitions is Temporal's default for a task queue.
const defaultPartitions = 4

// LogLevels are the levels of the server's log.
var LogLevels = []string{"debug", "info", "warn", "error", "fatal"}

// ErrNotOurs says that a test wants to do to the server at AddressVariable what only a child process can bear.
var ErrNotOurs = errors.New("the server of " + AddressVariable + " is not ours to configure, kill or restart")

// Options configures Start. The zero value is a server in memory on a free port, without a Web UI.
type Options struct {
	IP     string // to listen on; empty: loopback
	DBFile string // SQLite file, which a killed or stopped server finds again
	// Postgres is host:port of an empty PostgreSQL in its place; it can be used once.
	Postgres string
	Port     int // 0: any free one; a restart keeps it
	UI       bool
	UIPort   int    // 0: any free one
	CodecURL string // of the codec server that the Web UI asks; empty: none
	// Partitions of the limited queues: 4 is the server's default; 0 means 1.
	Partitions int
	// CachedAttributes is production's default: a new search attribute counts seconds later.
	CachedAttributes bool
	Roles            bool // the sample authorizer decides who may call what, by tokens that name a role
	// TLSCert and TLSKey are files: with them the connection is TLS, and clients need a certificate that TLSClientCA has signed
	// (with Roles, the common name is the role), or the key APIKey, as at Temporal Cloud.
	TLSCert, TLSKey, TLSClientCA, APIKey string
	LogLevel                             string // empty: error
	// Pprof and Metrics are addresses, host:port, of the server's profiles and of its own Prometheus metrics; empty: none.
	Pprof, Metrics string
	Stderr         *os.File // gets the log; nil: it is kept for Log and for errors
}

// Server is a running server.
type Server struct {
	Address string // of the gRPC API; the namespace is "default"
	UIURL   string // empty without a Web UI
	// Internal is, with TLS, the address at which a client may do everything, without a certificate or a key.
	Internal string

	o   Options
	bin string

	mu sync.Mutex
	p  *process // nil when it is stopped, or not ours
}

// Start builds the server if need be, which can take minutes, and returns when it is ready.
func Start(ctx context.Context, o Options) (*Server, error) {
	if addr := os.Getenv(AddressVariable); addr != "" {
		if o != (Options{}) {
			return nil, ErrNotOurs
		}
		return &Server{Address: addr}, nil
	}
	return Launch(ctx, o)
}

// Launch is Start whatever AddressVariable says.
func Launch(ctx context.Context, o Options) (*Server, error) {
	bin, err := program(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, bin: bin}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Run is Start for a test: it stops the server at the end, and shows its log if the test failed.
func Run(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Start(tb.Context(), o)
	if errors.Is(err, ErrNotOurs) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if log := s.Log(); tb.Failed() && log != "" {
			tb.Log("the server logged:\n" + log)
		}
		if err := s.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Restart starts a killed or stopped server again, at the same address and on the same database file.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bin == "" {
		return ErrNotOurs
	}
	if s.p != nil {
		return errors.New("the server is running")
	}
	args, err := s.args()
	if err != nil {
		return err
	}
	p, err := launch(s.bin, s.o.Stderr, args...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	addrs, err := p.waitReady(ctx)
	if err != nil {
		return err
	}
	s.p, s.Address, s.UIURL, s.Internal = p, addrs["temporal"], addrs["ui"], addrs["internal"]
	return nil
}

// singlePartition lists the queues whose limit is exact because they have one partition.
func (o *Options) singlePartition() string {
	if o.Partitions == defaultPartitions {
		return ""
	}
	return kyc.TaskQueueDiditWrite + "," + kyc.TaskQueueDiditRead
}

// args settles the ports too, because the server does not: a port that is taken ends it without a word.
func (s *Server) args() (args []string, err error) {
	ip := cmp.Or(s.o.IP, "127.0.0.1")
	args = []string{
		"-leash", "-ip", ip, "-db", s.o.DBFile, "-postgres", s.o.Postgres, "-codec", s.o.CodecURL, "-log-level", cmp.Or(s.o.LogLevel, "error"),
		"-pprof", s.o.Pprof, "-metrics", s.o.Metrics, "-single-partition", s.o.singlePartition(), "-roles=" + strconv.FormatBool(s.o.Roles),
		"-cached-attributes=" + strconv.FormatBool(s.o.CachedAttributes),
		"-tls-cert", s.o.TLSCert, "-tls-key", s.o.TLSKey, "-tls-client-ca", s.o.TLSClientCA, "-api-key", s.o.APIKey,
	}
	if s.o.Port, err = port.Pick(ip, s.o.Port); err != nil {
		return nil, fmt.Errorf("port of Temporal: %w", err)
	}
	if s.o.UI {
		if s.o.UIPort, err = port.Pick(ip, s.o.UIPort); err != nil {
			return nil, fmt.Errorf("port of the Web UI: %w", err)
		}
		args = append(args, "-ui-port", strconv.Itoa(s.o.UIPort))
	}
	internal := make([]string, 4) // history, matching, worker, and a frontend of its own
	for i := range internal {
		n, err := port.Pick("127.0.0.1", 0)
		if err != nil {
			return nil, fmt.Errorf("port of Temporal's internal services: %w", err)
		}
		internal[i] = strconv.Itoa(n)
	}
	return append(args, "-port", strconv.Itoa(s.o.Port), "-internal-ports", strings.Join(internal, ",")), nil
}

// Stop ends the server in good order. A server that is stopped, or not ours, is left alone.
func (s *Server) Stop() error { return s.end((*process).stop) }

// Kill ends the server with SIGKILL, as a crash would.
func (s *Server) Kill() error {
	if s.bin == "" {
		return ErrNotOurs
	}
	return s.end((*process).kill)
}

func (s *Server) end(how func(*process) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return nil
	}
	p := s.p
	s.p = nil
	return how(p)
}

// Done is closed when the running process has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.p.exited
}

// Log returns the last lines that the running server logged.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return ""
	}
	return s.p.tail()
}

// PID is the number of the running server's process; 0 if it is stopped, or not ours.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return 0
	}
	return s.p.cmd.Process.Pid
}
