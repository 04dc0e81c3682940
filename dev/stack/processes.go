package stack

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"didit-temporal/dev/signup"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
)

// The processes run here as in production, by the same code; only their settings are ours.

// Who may call the HTTP API here, and the scheme of links to its app. None of it is a secret.
const (
	apiCaller = "shop"
	appScheme = "myapp"
	APIToken  = "simulator-api-token"
)

func startWebhook(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "webhook", s.o.MetricsPort+1)
	if err != nil {
		return err
	}
	listener, err := s.listen(ctx, s.o.WebhookPort)
	if err != nil {
		return err
	}
	cfg := s.webhookSettings()
	s.run(func(ctx context.Context) error {
		return app.ServeWebhook(ctx, listener, c, cfg, s.log("webhook"), watch)
	})
	s.Addresses = append(s.Addresses, Address{Key: "webhook", Title: "Webhook", Value: s.webhookURL()})
	return nil
}

func startWorker(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "worker", s.o.MetricsPort)
	if err != nil {
		return err
	}
	if _, err := ops.New(c).Setup(ctx); err != nil {
		return err
	}
	if _, err := ops.New(c).SetupSweep(ctx); err != nil {
		return err
	}
	cfg := s.workerSettings()
	if s.o.Results != nil {
		if err := s.takeResults(ctx, &cfg); err != nil {
			return err
		}
	}
	s.run(func(ctx context.Context) error { return app.RunWorker(ctx, c, cfg, s.log("worker"), watch) })
	return nil
}

// startAPI runs what `starter serve` runs.
func startAPI(ctx context.Context, s *Stack) error {
	c, watch, err := s.dialWatched(ctx, "starter", s.o.MetricsPort+2)
	if err != nil {
		return err
	}
	listener, err := s.listen(ctx, s.o.APIPort)
	if err != nil {
		return err
	}
	cfg := config.Starter{
		Tokens: []config.Token{{Name: apiCaller, Value: config.NewSecret(APIToken)}}, Environment: config.Environment(simulatorEnviron),
		PayloadKeys: s.keys(), ReturnSchemes: []string{appScheme},
	}
	s.run(func(ctx context.Context) error { return app.ServeStarter(ctx, listener, c, cfg, s.log("api"), watch) })
	s.Addresses = append(s.Addresses, Address{Key: "api", Title: "API", Value: s.url(s.o.APIPort)})
	return nil
}

// startSignup runs an example of a signup service, which calls the API as any other would.
func startSignup(ctx context.Context, s *Stack) error {
	public := s.url(s.o.SignupPort)
	s.Addresses = append(s.Addresses, Address{Key: "signup", Title: "Signup", Value: public})
	_, err := s.serve(ctx, s.o.SignupPort, signup.New(signup.Options{
		API: s.url(s.o.APIPort), Token: APIToken, SDK: s.o.WebSDK, Public: public,
	}))
	return err
}

func (s *Stack) webhookSettings() config.Webhook {
	if s.o.Real != nil {
		return s.o.Real.Webhook
	}
	return config.Webhook{
		Secrets: []config.Secret{config.NewSecret(simulatorSecret)}, Tolerance: 6 * time.Minute,
		Environment: config.Environment(simulatorEnviron), MaxBody: 1 << 20,
	}
}

func (s *Stack) workerSettings() config.Worker {
	if s.o.Real != nil {
		return s.o.Real.Worker
	}
	return config.Worker{
		DiditAPIKey: config.NewSecret(simulatorAPIKey), DiditWorkflowID: simulatorFlow, DiditBaseURL: s.url(s.o.SimulatorPort),
		Environment: config.Environment(simulatorEnviron), WritesPerMinute: 300, ReadsPerMinute: 600, QueuePartitions: 1,
		SessionDeadline: 8 * 24 * time.Hour, ReconcileAfter: 15 * time.Minute, SessionCap: 3, PayloadKeys: s.keys(),
	}
}

// run runs a process until the stack stops. Failed reports one that ends earlier.
func (s *Stack) run(process func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := process(ctx)
		if ctx.Err() == nil {
			s.failed <- errors.Join(err, errors.New("ended by itself"))
		}
		done <- err
	}()
	s.stops = append(s.stops, func() error {
		cancel()
		return <-done
	})
}

// Failed reports a process that ended before Stop.
func (s *Stack) Failed() <-chan error { return s.failed }

func (s *Stack) listen(ctx context.Context, port int) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.hostPort(port))
}

// serve serves a handler until the stack stops, and returns its address.
func (s *Stack) serve(ctx context.Context, port int, h http.Handler) (address string, err error) {
	listener, err := s.listen(ctx, port)
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(listener) }() // ends with Close
	s.stops = append(s.stops, srv.Close)
	return listener.Addr().String(), nil
}

func (s *Stack) log(who string) *slog.Logger { return s.o.Log.With("process", who) }
