package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/program"
	"didit-temporal/kyc"
)

const serveLong = `Serve the HTTP API for signup services and operators: start verifications, read
their states, wait for verdicts, decide, erase. It is stateless, so run as many
replicas as you like; put TLS and your load balancer in front of them.

  POST /v1/verifications             {"user_id": "u1"}: 201, or 200 for one that
                                     was there; the answer has the url to open
  GET  /v1/verifications/u1?wait=30s its state, as soon as there is a verdict
  GET  /v1/verifications             list; .../u1/history: timeline of a user
  POST .../u1/cancel, refresh, decision; DELETE .../u1: for tokens with the scope
  GET  /openapi.json                 the whole API, for programs
  GET  /healthz, /readyz             for the load balancer

Callers send "Authorization: Bearer TOKEN" with one of the tokens below. SIGTERM
and Ctrl-C stop it, after the requests in flight have their answer.

Environment, beside Temporal's and PAYLOAD_KEYS (a secret may also come from the
file that NAME_FILE names):

`

const serveExample = `  STARTER_TOKENS=shop:$(openssl rand -hex 24) starter serve
  STARTER_TOKENS="ops:$(openssl rand -hex 24);scopes=read decide erase" starter serve
  STARTER_ADDR=127.0.0.1:8081 LOG_FORMAT=text starter serve
  starter serve --check              is the one on this machine alive? For health checks`

func (t *tool) serveCommand() *cobra.Command {
	check := false
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the HTTP API for signup services",
		Long:    serveLong + settingsOf("starter serve"),
		Example: serveExample,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return t.alive(cmd.Context(), "STARTER_ADDR", t.getenv("STARTER_ADDR"))
			}
			return t.serveAPI(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "ask the API at STARTER_ADDR on this machine whether it is alive, and end")
	return cmd
}

func (t *tool) serveAPI(ctx context.Context) error {
	cfg, err := config.ForStarter(t.getenv)
	if err != nil {
		return usage(fmt.Errorf("Invalid configuration (`starter serve --help` lists it):\n%w", err)) //nolint:staticcheck // it begins a text
	}
	return t.serve(ctx, cfg, config.NewLogger(t.stdout, cfg.Telemetry.LogLevel, cfg.Telemetry.LogFormat))
}

// settingsOf lists the settings of a command, without those that all share.
func settingsOf(command string) string {
	var b strings.Builder
	_ = config.WriteSettings(&b, command, false) // cannot fail for a strings.Builder
	return strings.TrimRight(b.String(), "\n")
}

// server connects to Temporal and serves until ctx ends.
func server(load func() (client.Options, error)) func(context.Context, config.Starter, *slog.Logger) error {
	return func(ctx context.Context, cfg config.Starter, log *slog.Logger) error {
		o, err := load()
		if err != nil {
			return usage(fmt.Errorf("read the TEMPORAL_ settings: %w", err))
		}
		return program.Serve(ctx, "starter", cfg.Telemetry, o, log, func(c *kyc.Client, t *app.Telemetry) error {
			return app.RunStarter(ctx, c, cfg, log, t)
		})
	}
}
