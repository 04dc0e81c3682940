// Package temporal runs a complete Temporal server, and its Web UI if asked, inside the calling process.
// It is for local runs and tests: one node, SQLite, no authentication.
package temporal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	server "go.temporal.io/server/temporal"

	"didit-temporal/dev/port"
)

// Options configures Start. The zero value is a server in memory on a free loopback port, without a Web UI.
type Options struct {
	IP     string // default 127.0.0.1; the internal services stay on loopback whatever it is
	Port   int    // gRPC; 0: any free one
	UI     bool
	UIPort int // 0: any free one
	// CodecURL is the codec server that browsers with the Web UI ask; empty: payloads are shown as they are.
	CodecURL string

	Namespace string        // default "default"
	Retention time.Duration // default 720 h; a namespace that a database file already has keeps its own
	DBFile    string        // SQLite file, made if it is missing; empty: in memory
	// Postgres is host:port of an empty PostgreSQL whose superuser "temporal" needs no password; it takes the place of SQLite.
	Postgres string

	SinglePartition  []string // task queues with one partition, so that a rate limit on them is exact
	SearchAttributes map[string]enumspb.IndexedValueType

	// Authorizer and ClaimMapper decide who may call what; nil: any caller may call everything.
	Authorizer  authorization.Authorizer
	ClaimMapper authorization.ClaimMapper

	LogLevel string // default "fatal": a server that stops logs pages of cancelled contexts as errors
}

var logLevels = []string{"debug", "info", "warn", "error", "fatal"}

// Server is a running Temporal server.
type Server struct {
	Address   string // of the gRPC API, as a client on this machine dials it
	UIURL     string // empty without a Web UI
	Namespace string

	core server.Server
	ui   *webUI
	file string // of the database; empty in memory
}

// Start returns once the server answers for its namespace and the Web UI, if any, accepts connections.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	core, err := newCore(&o)
	if err != nil {
		return nil, err
	}
	if err := core.Start(); err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	s := &Server{Address: o.address(o.Port), Namespace: o.Namespace, core: core, file: o.DBFile}
	if err := s.finish(ctx, &o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// startLimit is generous: a start takes half a second, but on a machine that compiles meanwhile it takes many.
const startLimit = time.Minute

// finish does what needs a running server.
func (s *Server) finish(ctx context.Context, o *Options) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := waitReady(ctx, s.Address, o); err != nil {
		return err
	}
	if !o.UI {
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

func (o *Options) complete() (err error) {
	if o.IP == "" {
		o.IP = loopback
	}
	if net.ParseIP(o.IP) == nil {
		return fmt.Errorf("%q is not an IP address", o.IP)
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Retention == 0 {
		o.Retention = 720 * time.Hour
	}
	if o.LogLevel == "" {
		o.LogLevel = "fatal"
	}
	if o.Authorizer == nil {
		o.Authorizer, o.ClaimMapper = authorization.NewNoopAuthorizer(), authorization.NewNoopClaimMapper()
	}
	if !slices.Contains(logLevels, o.LogLevel) {
		return fmt.Errorf("log level %q is none of %v", o.LogLevel, logLevels)
	}
	if o.Port, err = port.Pick(o.IP, o.Port); err != nil {
		return fmt.Errorf("port of Temporal: %w", err)
	}
	if !o.UI {
		return nil
	}
	if o.UIPort, err = port.Pick(o.IP, o.UIPort); err != nil {
		return fmt.Errorf("port of the Web UI: %w", err)
	}
	return nil
}

// address is where a client on this machine reaches a port of ours: "all interfaces" is no address to dial.
func (o *Options) address(port int) string {
	host := o.IP
	if ip := net.ParseIP(o.IP); ip.IsUnspecified() {
		host = loopback
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func newCore(o *Options) (server.Server, error) {
	cfg, hosts, err := serverConfig(o)
	if err != nil {
		return nil, err
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: o.LogLevel, Format: "console"}))
	core, err := server.NewServer(
		server.WithConfig(cfg),
		server.ForServices(server.DefaultServices),
		server.WithStaticHosts(hosts),
		server.WithLogger(logger),
		server.WithAuthorizer(o.Authorizer),
		server.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return o.ClaimMapper }),
		server.WithDynamicConfigClient(dynamicConfig(o.SinglePartition)),
	)
	if err != nil {
		return nil, fmt.Errorf("configure Temporal: %w", err)
	}
	return core, nil
}
