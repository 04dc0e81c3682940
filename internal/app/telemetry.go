package app

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"go.temporal.io/sdk/client"

	"didit-temporal/internal/config"
	"didit-temporal/internal/metrics"
	"didit-temporal/internal/tracing"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

// Telemetry is the metrics and traces of one process.
type Telemetry struct {
	metrics *metrics.Metrics
	tracing *tracing.Tracing
	// Address is where the metrics are served; empty if nowhere.
	Address string
	ready   atomic.Pointer[readiness] // nil until the process has started its work
	stop    func()
}

// StartTelemetry starts the metrics and traces of a process. Call Close after the process has stopped its work.
func StartTelemetry(ctx context.Context, cfg config.Telemetry, process string, log *slog.Logger) (*Telemetry, error) {
	o := noTelemetry()
	if cfg.Tracing {
		t, err := tracing.Start(ctx, "didit-temporal-"+process, cfg.Traces, log)
		if err != nil {
			return nil, err
		}
		o.tracing = t
	}
	if cfg.MetricsAddr == "" {
		return o, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.MetricsAddr)
	if err != nil { // perhaps another process has the port: serving users matters more
		log.Error("metrics are not served: give each process its own METRICS_ADDR", "error", err)
		return o, nil
	}
	srv := newServer(health(o.metrics.Handler(), o.check), log)
	go func() { _ = srv.Serve(listener) }() // ends with Close
	o.Address, o.stop = listener.Addr().String(), func() { _ = srv.Close() }
	log.Info("metrics", "url", "http://"+o.Address+metrics.Path)
	return o, nil
}

// noTelemetry counts, and serves nothing.
func noTelemetry() *Telemetry {
	return &Telemetry{metrics: metrics.New(), tracing: tracing.Off(), stop: func() {}}
}

// becomesReady makes readiness of a function that calls Temporal, for the metrics port and for the process's own.
func (o *Telemetry) becomesReady(ask func(context.Context) error) *readiness {
	r := newReadiness(ask)
	o.ready.Store(r)
	return r
}

func (o *Telemetry) check(ctx context.Context) error {
	if r := o.ready.Load(); r != nil {
		return r.check(ctx)
	}
	return errStarting
}

// Client adds metrics and tracing to the options of a connection to Temporal and of its workers.
func (o *Telemetry) Client(c client.Options) client.Options {
	c.MetricsHandler = o.metrics.SDK()
	c.Interceptors = append(o.tracing.Interceptors(), c.Interceptors...)
	return c
}

// Close sends the last spans.
func (o *Telemetry) Close() {
	o.stop()
	o.tracing.Close()
}

// telemetryOf returns the first that is given, or one that serves nothing.
func telemetryOf(given []*Telemetry) *Telemetry {
	return cmp.Or(append(given, noTelemetry())...)
}

// toDidit counts and traces the calls to Didit.
func (o *Telemetry) toDidit(next http.RoundTripper) http.RoundTripper {
	return o.tracing.Transport(o.metrics.Transport(next), func(method, path string) string {
		return "Didit " + metrics.Operation(method, path)
	})
}

// toCallbackEndpoint traces the calls to the callback endpoint.
func (o *Telemetry) toCallbackEndpoint(next http.RoundTripper) http.RoundTripper {
	return o.tracing.OwnTransport(next, "POST result")
}

// webhookRoute names the requests of the webhook that get a span.
func webhookRoute(r *http.Request) string {
	if strings.TrimSuffix(r.URL.Path, "/") == receiver.Path {
		return receiver.Path
	}
	return ""
}

// apiRoute names the requests of the API.
func apiRoute(r *http.Request) string {
	rest, ofUser := strings.CutPrefix(r.URL.Path, api.Path+"/")
	_, action, _ := strings.Cut(rest, "/")
	switch {
	case r.URL.Path == api.Path:
		return api.Path
	case !ofUser:
		return ""
	case slices.Contains(api.Actions(), action):
		return api.Path + "/{user_id}/" + action
	}
	return api.Path + "/{user_id}"
}
