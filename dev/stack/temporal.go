package stack

import (
	"context"

	"didit-temporal/dev/temporal"
	"didit-temporal/kyc"
)

func temporalPorts(o *Options) []wanted {
	ports := []wanted{{what: "Temporal", flag: "-temporal-port", port: &o.TemporalPort}}
	if o.UI {
		ports = append(ports, wanted{what: "Web UI", flag: "-ui-port", port: &o.UIPort})
	}
	return ports
}

// DefaultPartitions is Temporal's default for a task queue.
const DefaultPartitions = 4

// singlePartition lists the queues whose limit is exact because they have one partition.
func (o *Options) singlePartition() []string {
	if o.Partitions == DefaultPartitions {
		return nil
	}
	return []string{kyc.TaskQueueDiditWrite, kyc.TaskQueueDiditRead}
}

func startTemporal(ctx context.Context, s *Stack) error {
	srv, err := temporal.Start(ctx, temporal.Options{
		IP:              s.o.IP,
		Port:            s.o.TemporalPort,
		UI:              s.o.UI,
		UIPort:          s.o.UIPort,
		CodecURL:        s.codecURL(),
		DBFile:          s.o.DBFile,
		Postgres:        s.o.Postgres,
		SinglePartition: s.o.singlePartition(),
		LogLevel:        s.o.TemporalLogLevel,
	})
	if err != nil {
		return err
	}
	s.stops = append(s.stops, srv.Stop)
	s.Addresses = append(s.Addresses, Address{Key: "temporal", Title: "Temporal", Value: srv.Address})
	if srv.UIURL != "" {
		s.Addresses = append(s.Addresses, Address{Key: "ui", Title: "Web UI", Value: srv.UIURL})
	}
	return nil
}
