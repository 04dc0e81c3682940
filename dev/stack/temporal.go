package stack

import (
	"context"
	"errors"
	"os"

	"didit-temporal/dev/tserver"
)

func startTemporal(ctx context.Context, s *Stack) error {
	srv, err := tserver.Launch(ctx, tserver.Options{
		IP:       s.o.IP,
		Port:     s.o.TemporalPort,
		UI:       s.o.UI,
		UIPort:   s.o.UIPort,
		CodecURL: s.codecURL(),
		DBFile:   s.o.DBFile,
		LogLevel: s.o.TemporalLogLevel,
		Stderr:   os.Stderr,
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
