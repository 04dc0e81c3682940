package app

import (
	"context"
	"log/slog"
	"math"
	"net"
	"runtime/debug"

	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/internal/tracing"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

// RunStarter serves the HTTP API until ctx ends, then answers the requests in flight.
func RunStarter(ctx context.Context, c *kyc.Client, cfg config.Starter, log *slog.Logger, given ...*Telemetry) error {
	limitMemory()
	if err := c.Ready(ctx); err != nil { // in a namespace that does not exist every call would fail
		return err
	}
	listener, err := listen(ctx, "STARTER_ADDR", cfg.Addr)
	if err != nil {
		return err
	}
	return ServeStarter(ctx, listener, c, cfg, log, given...)
}

// memoryLimit is a little more than what 5,000 long polls need. Near it the runtime collects more often; without it the heap
// grows to twice what is in use.
const memoryLimit = 160 << 20

// limitMemory sets memoryLimit unless the operator has set GOMEMLIMIT.
func limitMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// ServeStarter is RunStarter on a listener that is open already.
func ServeStarter(ctx context.Context, listener net.Listener, c *kyc.Client, cfg config.Starter, log *slog.Logger, given ...*Telemetry) error {
	telemetry := telemetryOf(given)
	log = telemetry.tracing.Log(log)
	ready := telemetry.becomesReady(c.Ready)
	all := ops.New(c)
	a := api.New(api.Options{
		Verifications: c, Operators: all, Records: all, Callers: callers(cfg.Tokens), Log: log, Estimator: all, Ready: ready.check, ReturnSchemes: cfg.ReturnSchemes,
	})
	ctx, cancel := ready.drainFirst(ctx, cfg.ShutdownDelay)
	defer cancel()
	defer context.AfterFunc(ctx, a.Drain)() // a long poll may outlast drainTimeout
	notePayloadKeys(cfg.PayloadKeys, log)
	telemetry.metrics.Publish(cfg.Published(c.Namespace()).Labels())
	log.Info("api listens", "address", listener.Addr().String(), "path", api.Path, "namespace", c.Namespace())
	handler := telemetry.tracing.Handler(telemetry.metrics.Requests(a.Handler(), apiRoute), tracing.JoinTrace, apiRoute)
	err := serve(ctx, listener, ready.hangUp(handler), log)
	log.Info("api has stopped")
	return err
}

func callers(tokens []config.Token) []api.Caller {
	all := make([]api.Caller, len(tokens))
	for i, t := range tokens {
		all[i] = api.Caller{Name: t.Name, Token: t.Value.Reveal(), Flows: t.Flows, ReturnHosts: t.ReturnHosts, Starts: t.Starts, Polls: t.Polls}
		for _, s := range t.Scopes {
			all[i].Scopes = append(all[i].Scopes, api.Scope(s))
		}
	}
	return all
}
