package stack

import (
	"context"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
	"didit-temporal/kyc"
)

// tellMetrics puts what is watched behind all other addresses.
func (s *Stack) tellMetrics() {
	for _, a := range []Address{
		{Key: "worker", Title: "Metrics"}, {Key: "webhook", Title: "  webhook"}, {Key: "starter", Title: "  API"},
	} {
		if url := s.watched[a.Key]; url != "" {
			s.Addresses = append(s.Addresses, Address{Key: "metrics-" + a.Key, Title: a.Title, Value: url})
		}
	}
}

// metricsAddr is where a process here has its metrics. A port that is taken costs the metrics and nothing else, as in
// production, so it is not asked for beforehand.
func (s *Stack) metricsAddr(port int) string {
	if s.o.MetricsPort == 0 {
		port = 0
	}
	return s.o.hostPort(port)
}

// dialWatched connects as a process of production does, with its metrics, and with traces for those who say so.
func (s *Stack) dialWatched(ctx context.Context, who string, port int) (*kyc.Client, *app.Telemetry, error) {
	watch, err := app.StartTelemetry(ctx, config.Telemetry{
		MetricsAddr: s.metricsAddr(port), Tracing: s.o.Traces,
	}, who, s.log(who))
	if err != nil {
		return nil, nil, err
	}
	s.stops = append(s.stops, func() error { watch.Close(); return nil })
	if watch.Address != "" {
		s.watched[who] = "http://" + watch.Address + metrics.Path
	}
	c, err := s.dial(ctx, who, watch.Client)
	return c, watch, err
}

// Client connects to the Temporal that runs here.
func (s *Stack) Client(ctx context.Context) (*kyc.Client, error) {
	return s.dial(ctx, "client", func(o client.Options) client.Options { return o })
}

func (s *Stack) dial(ctx context.Context, who string, with func(client.Options) client.Options) (*kyc.Client, error) {
	o := client.Options{HostPort: s.o.reach(s.o.TemporalPort), Logger: log.NewStructuredLogger(s.log(who))}
	s.keys().Apply(&o)
	c, err := kyc.Dial(ctx, with(o))
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { c.Close(); return nil })
	return c, nil
}
