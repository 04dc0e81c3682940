package stack

import (
	"context"
	"net"

	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
)

// Who may call the HTTP API here, and the scheme of links to its app. None of it is a secret.
const (
	apiCaller = "shop"
	appScheme = "myapp"
	APIToken  = "simulator-api-token"
)

func apiPorts(o *Options) []wanted {
	return []wanted{{what: "API", flag: "-api-port", port: &o.APIPort}}
}

// startAPI runs what `starter serve` runs.
func startAPI(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "starter", s.o.MetricsPort+2)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.hostPort(s.o.APIPort))
	if err != nil {
		return err
	}
	cfg := config.Starter{
		Tokens: []config.Token{{Name: apiCaller, Value: config.NewSecret(APIToken)}}, Environment: config.Environment(simulatorEnviron),
		PayloadKeys: s.keys(), ReturnSchemes: []string{appScheme},
	}
	s.run(func(ctx context.Context) error { return app.ServeStarter(ctx, listener, c, cfg, s.log("api"), watch) })
	s.Addresses = append(s.Addresses, Address{Key: "api", Title: "API", Value: "http://" + s.o.reach(s.o.APIPort)})
	return nil
}
