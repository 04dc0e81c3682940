package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
)

// What every server here serves.
const (
	namespace = "default"
	retention = 720 * time.Hour // a namespace that a database file already has keeps its own
)

// Options configures Start. All ports must be free: the server and the UI end the process when theirs is taken.
type Options struct {
	IP            string // the internal services stay on loopback whatever it is
	Port          int    // of the gRPC API
	InternalPorts []int  // of history, matching, worker and, with TLS, internal-frontend
	UIPort        int    // 0: no Web UI
	// CodecURL is the codec server that browsers with the Web UI ask; empty: payloads are shown as they are.
	CodecURL string

	DBFile string // SQLite file, made if it is missing; empty: in memory
	// Postgres is host:port of an empty PostgreSQL whose superuser "temporal" needs no password; it takes the place of SQLite.
	Postgres string

	SinglePartition []string // task queues with one partition, so that a rate limit on them is exact
	// CachedAttributes keeps search attributes in a cache, as in production: a new one counts seconds later.
	CachedAttributes bool
	Roles            bool // the sample authorizer decides; false: any caller may call everything

	TLSCert, TLSKey string // files of the gRPC API's certificate and key; empty: a plain connection
	TLSClientCA     string // file of the CA that signs clients' certificates; empty: clients need none
	APIKey          string // clients need it, and may what Temporal Cloud allows with it; empty: none is needed

	LogLevel string // "fatal" for people: a server that stops logs pages of cancelled contexts as errors

	Pprof, Metrics string // host:port of profiles and of the server's own metrics; empty: none
}

var logLevels = []string{"debug", "info", "warn", "error", "fatal"}

// Server is a running server.
type Server struct {
	Address string // of the gRPC API, as a client on this machine dials it
	UIURL   string // empty without a Web UI
	// Internal is, with TLS, the address through which the server calls itself, and an administrator may do everything.
	Internal string

	core temporal.Server
	ui   *webUI
	file string // of the database; empty in memory
}

// Start returns when the namespace answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	core, err := newCore(&o)
	if err != nil {
		return nil, err
	}
	if err := core.Start(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	s := &Server{Address: o.address(o.Port), Internal: o.internal(), core: core, file: o.DBFile}
	if err := s.finish(ctx, &o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// startLimit is for what follows the first open port. It is a minute because test machines are slow.
const startLimit = time.Minute

func (s *Server) finish(ctx context.Context, o *Options) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := waitReady(ctx, cmp.Or(s.Internal, s.Address), o); err != nil {
		return err
	}
	if o.UIPort == 0 {
		return nil
	}
	ui, err := startUI(ctx, o)
	if err != nil {
		return err
	}
	s.ui, s.UIURL = ui, "http://"+o.address(o.UIPort)
	return nil
}

// Stop ends the server. What was kept in memory is gone then; a database file is complete without its write-ahead log.
func (s *Server) Stop() error {
	if s.ui != nil {
		s.ui.stop()
	}
	err := s.core.Stop()
	if s.file != "" {
		err = errors.Join(err, emptyLog(s.file))
	}
	return err
}

func (o *Options) check() error {
	switch {
	case net.ParseIP(o.IP) == nil:
		return fmt.Errorf("-ip %s: not an IP address", o.IP)
	case !slices.Contains(logLevels, o.LogLevel):
		return fmt.Errorf("-log-level %q: want one of %v", o.LogLevel, logLevels)
	case len(o.InternalPorts) < len(o.internalServices()):
		return fmt.Errorf("-internal-ports: want %d of them", len(o.internalServices()))
	}
	return o.checkTLS()
}

// address is how a client on this machine reaches a port.
func (o *Options) address(port int) string {
	host := o.IP
	if ip := net.ParseIP(o.IP); ip.IsUnspecified() {
		host = loopback
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func newCore(o *Options) (temporal.Server, error) {
	cfg, hosts, err := serverConfig(o)
	if err != nil {
		return nil, err
	}
	decide, claims := o.authorization()
	core, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(slices.Collect(maps.Keys(cfg.Services))),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(log.NewZapLogger(log.BuildZapLogger(log.Config{Level: o.LogLevel, Format: "console"}))),
		temporal.WithAuthorizer(decide),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamicConfig(o)),
	)
	if err != nil {
		return nil, fmt.Errorf("configure Temporal: %w", err)
	}
	return core, nil
}
