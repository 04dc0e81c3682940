package stack

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/webhook/receiver"
)

// Settings of the simulator, and of the processes that are started by hand. None of it is a secret.
const (
	simulatorAPIKey  = "simulator-api-key"
	simulatorFlow    = "d1d17000-0000-4000-8000-000000000001"
	simulatorSecret  = "simulator-webhook-secret"
	simulatorEnviron = didit.EnvironmentSandbox
)

// simulatorLadder is Didit's ladder of one and four minutes, short enough to watch.
var simulatorLadder = []time.Duration{5 * time.Second, 20 * time.Second}

func simulatorPorts(o *Options) []wanted {
	return []wanted{{what: "simulator", flag: "-simulator-port", port: &o.SimulatorPort}}
}

func startSimulator(ctx context.Context, s *Stack) error {
	sim := diditsim.New(diditsim.Options{
		APIKey: simulatorAPIKey, WorkflowIDs: []string{simulatorFlow}, Environment: simulatorEnviron,
		WebhookURL: s.webhookURL(), WebhookSecret: simulatorSecret, RetryDelays: simulatorLadder,
		PublicURL: s.simulatorURL(), Logger: s.log("simulator"),
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.hostPort(s.o.SimulatorPort))
	if err != nil {
		return err
	}
	s.Simulator = sim
	srv := &http.Server{Handler: sim, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(listener) }() // ends with Close
	s.stops = append(s.stops, func() error { sim.Close(); return srv.Close() })
	s.Addresses = append(s.Addresses, Address{Key: "simulator", Title: "Didit", Value: s.simulatorURL()})
	return nil
}

func (s *Stack) simulatorURL() string { return "http://" + s.o.reach(s.o.SimulatorPort) }

func (s *Stack) webhookURL() string { return "http://" + s.o.reach(s.o.WebhookPort) + receiver.Path }

// hostPort is where to listen, reach where to find who listens there: 0.0.0.0 is no address to call.
func (o *Options) hostPort(port int) string { return net.JoinHostPort(o.IP, strconv.Itoa(port)) }

func (o *Options) reach(port int) string {
	if net.ParseIP(o.IP).IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(port))
	}
	return o.hostPort(port)
}

// HandSettings is the environment for processes that are started by hand beside the simulator, one NAME=value a line.
func (s *Stack) HandSettings() []string {
	return append(s.codecSettings(), []string{
		"TEMPORAL_ADDRESS=" + s.o.reach(s.o.TemporalPort),
		"DIDIT_BASE_URL=" + s.simulatorURL(),
		"DIDIT_ACCOUNT_URL=" + s.simulatorURL() + diditsim.AccountPath,
		"DIDIT_API_KEY=" + simulatorAPIKey,
		"DIDIT_WORKFLOW_ID=" + simulatorFlow,
		"DIDIT_WEBHOOK_SECRETS=" + simulatorSecret,
		"DIDIT_ENVIRONMENT=" + string(simulatorEnviron),
		"DIDIT_QUEUE_PARTITIONS=1",
		"WEBHOOK_ADDR=" + s.o.hostPort(s.o.WebhookPort),
		"STARTER_ADDR=" + s.o.hostPort(s.o.APIPort),
		"STARTER_TOKENS=" + apiCaller + ":" + APIToken,
	}...)
}
