package stack

import (
	"context"
	"errors"
	"os"

	"didit-temporal/dev/tserver"
)

func temporalPorts(o *Options) []wanted {
	ports := []wanted{{what: "Temporal", flag: "-temporal-port", port: &o.TemporalPort}}
	if o.UI {
		ports = append(ports, wanted{what: "Web UI", flag: "-ui-port", port: &o.UIPort})
	}
	return ports
}

func startTemporal(ctx context.Context, s *Stack) error {
	srv, err := tserver.Launch(ctx, tserver.Options{
		IP:         s.o.IP,
		Port:       s.o.TemporalPort,
		UI:         s.o.UI,
		UIPort:     s.o.UIPort,
		CodecURL:   s.codecURL(),
		DBFile:     s.o.DBFile,
		Postgres:   s.o.Postgres,
		Partitions: s.o.Partitions,
		LogLevel:   s.o.TemporalLogLevel,
		Stderr:     os.Stderr,
	})
	if err != nil {
		return err
	}
	ended := srv.Done()
	go func() {
		<-ended
		s.failed <- errors.New("the Temporal server has ended by itself: read its log above, or run again with -log-level error")
	}()
	s.stops = append(s.stops, srv.Stop)
	s.Addresses = append(s.Addresses, Address{Key: "temporal", Title: "Temporal", Value: srv.Address})
	if srv.UIURL != "" {
		s.Addresses = append(s.Addresses, Address{Key: "ui", Title: "Web UI", Value: srv.UIURL})
	}
	return nil
}
