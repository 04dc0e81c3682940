package main

import (
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
)

const (
	loopback    = "127.0.0.1"
	clusterName = "active"
	disabled    = "disabled"
)

type hostsByService = map[primitives.ServiceName]static.Hosts

func serverConfig(o *Options) (*config.Config, hostsByService, error) {
	var c config.Config
	addr := o.address(o.Port)
	c.Global.Membership.MaxJoinDuration = 30 * time.Second
	c.Global.Membership.BroadcastAddress = loopback
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: addr},
		},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	c.Archival.History.State = disabled
	c.Archival.Visibility.State = disabled
	c.NamespaceDefaults.Archival.History.State = disabled
	c.NamespaceDefaults.Archival.Visibility.State = disabled
	if o.Metrics != "" {
		c.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{ListenAddress: o.Metrics}}
	}
	hosts := addServices(&c, o)
	if o.hasTLS() {
		c.Global.TLS.Frontend = frontendTLS(o)
	} else {
		c.PublicClient.HostPort = addr
	}
	if o.Postgres != "" {
		return &c, hosts, addPostgres(&c, o)
	}
	return &c, hosts, addPersistence(&c, o)
}

// internalServices are those beside the frontend. With TLS the server has a frontend of its own, and needs neither a certificate
// nor a key to call itself.
func (o *Options) internalServices() []primitives.ServiceName {
	all := []primitives.ServiceName{primitives.HistoryService, primitives.MatchingService, primitives.WorkerService}
	if o.hasTLS() {
		all = append(all, primitives.InternalFrontendService)
	}
	return all
}

func addServices(c *config.Config, o *Options) hostsByService {
	c.Services = map[string]config.Service{
		string(primitives.FrontendService): {RPC: config.RPC{GRPCPort: o.Port, BindOnIP: o.IP}},
	}
	hosts := hostsByService{primitives.FrontendService: static.SingleLocalHost(o.address(o.Port))}
	for i, name := range o.internalServices() {
		c.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: o.InternalPorts[i], BindOnIP: loopback}}
		hosts[name] = static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(o.InternalPorts[i])))
	}
	return hosts
}
