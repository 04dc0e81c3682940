// Command temporal runs a complete Temporal server of one node, and its Web UI, for local runs and tests. It is a module of its
// own: what the server is built with must not decide which versions production links.
//
// When it is ready it prints one line, READY temporal=HOST:PORT ui=URL internal=HOST:PORT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // G108: it is served where -pprof says, and nowhere else
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	// A shell set up for a real cluster must not steer what runs here, not even through a library.
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "TEMPORAL_") {
			_ = os.Unsetenv(name)
		}
	}
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second Ctrl-C ends the process at once
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	o, leash, err := parse(args, stdout)
	if err != nil {
		return err
	}
	if leash {
		ctx = leashed(ctx, stdin)
	}
	if o.Pprof != "" {
		go func() { _ = (&http.Server{Addr: o.Pprof, ReadHeaderTimeout: time.Second}).ListenAndServe() }()
	}
	s, err := Start(ctx, o)
	if err != nil && ctx.Err() != nil {
		return nil //nolint:nilerr // asked to stop before it was ready
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "READY temporal=%s ui=%s internal=%s\n", s.Address, s.UIURL, s.Internal); err != nil {
		return errors.Join(err, s.Stop())
	}
	<-ctx.Done()
	return stop(s)
}

func parse(args []string, stdout io.Writer) (o Options, leash bool, err error) {
	fs := flag.NewFlagSet("temporal", flag.ContinueOnError)
	fs.SetOutput(stdout)
	fs.StringVar(&o.IP, "ip", loopback, "`address` to listen on; the internal services stay on loopback")
	fs.IntVar(&o.Port, "port", 7233, "`port` of the gRPC API")
	fs.IntVar(&o.UIPort, "ui-port", 0, "`port` of the Web UI; 0: no Web UI")
	internal := fs.String("internal-ports", "7234,7235,7239,7236", "`ports` of the services history, matching, worker and, with -tls-cert, internal-frontend")
	fs.StringVar(&o.CodecURL, "codec", "", "`URL` of the codec server that browsers with the Web UI ask")
	fs.StringVar(&o.DBFile, "db", "", "SQLite `file`; empty: in memory")
	fs.StringVar(&o.Postgres, "postgres", "", "`host:port` of an empty PostgreSQL in place of SQLite; its superuser temporal needs no password")
	single := fs.String("single-partition", "", "comma-separated task `queues` with one partition, so that a rate limit on them is exact")
	fs.BoolVar(&o.CachedAttributes, "cached-attributes", false, "keep search attributes in a cache, as in production: a new one counts seconds later")
	fs.BoolVar(&o.Roles, "roles", false, "decide by role who may call what; the role is the common name of a client's certificate, "+
		"or without -tls-client-ca a bearer token, and no token an operator's")
	fs.StringVar(&o.TLSCert, "tls-cert", "", "`file` of the gRPC API's certificate; empty: a plain connection")
	fs.StringVar(&o.TLSKey, "tls-key", "", "`file` of its key")
	fs.StringVar(&o.TLSClientCA, "tls-client-ca", "", "`file` of the CA that signs the certificates that clients need; empty: they need none")
	fs.StringVar(&o.APIKey, "api-key", "", "`key` that clients need, and that may what the permission Write allows at Temporal Cloud")
	fs.StringVar(&o.LogLevel, "log-level", "fatal", "`level` of the log: debug, info, warn, error, fatal")
	fs.StringVar(&o.Pprof, "pprof", "", "`host:port` of profiles of the server; empty: none")
	fs.StringVar(&o.Metrics, "metrics", "", "`host:port` of the server's own Prometheus metrics; empty: none")
	fs.BoolVar(&leash, "leash", false, "stop when stdin is closed")
	if err := fs.Parse(args); err != nil {
		return o, leash, err
	}
	if *single != "" {
		o.SinglePartition = strings.Split(*single, ",")
	}
	for p := range strings.SplitSeq(*internal, ",") {
		n, err := strconv.Atoi(p)
		if err != nil {
			return o, leash, fmt.Errorf("-internal-ports %s: want three numbers with commas", *internal)
		}
		o.InternalPorts = append(o.InternalPorts, n)
	}
	return o, leash, nil
}

// leashed ends with ctx, or when the process at the other end of stdin closes it or dies.
func leashed(ctx context.Context, stdin io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return ctx
}

// stopLimit bounds a stop that hangs: the parent must not find us alive a minute later.
const stopLimit = 15 * time.Second

func stop(s *Server) error {
	done := make(chan error, 1)
	go func() { done <- s.Stop() }()
	select {
	case err := <-done:
		return err
	case <-time.After(stopLimit):
		return fmt.Errorf("did not stop within %v", stopLimit)
	}
}
