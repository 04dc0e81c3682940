package stack

import (
	"context"
	"net"
	"strconv"
	"time"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc/codec"
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

func startSimulator(ctx context.Context, s *Stack) error {
	s.Simulator = diditsim.New(diditsim.Options{
		APIKey: simulatorAPIKey, WorkflowIDs: []string{simulatorFlow}, Environment: simulatorEnviron,
		WebhookURL: s.webhookURL(), WebhookSecret: simulatorSecret, RetryDelays: simulatorLadder,
		PublicURL: s.url(s.o.SimulatorPort), Logger: s.log("simulator"),
	})
	s.Addresses = append(s.Addresses, Address{Key: "simulator", Title: "Didit", Value: s.url(s.o.SimulatorPort)})
	_, err := s.serve(ctx, s.o.SimulatorPort, s.Simulator)
	s.stops = append(s.stops, func() error { s.Simulator.Close(); return nil })
	return err
}

func (s *Stack) webhookURL() string { return s.url(s.o.WebhookPort) + receiver.Path }

// url is where to find who listens on a port.
func (s *Stack) url(port int) string { return "http://" + s.o.reach(port) }

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
	var settings []string
	if s.o.encrypts() {
		settings = append(settings, "PAYLOAD_KEYS="+codec.Demo)
	}
	return append(settings,
		"TEMPORAL_ADDRESS="+s.o.reach(s.o.TemporalPort),
		"DIDIT_BASE_URL="+s.url(s.o.SimulatorPort),
		"DIDIT_ACCOUNT_URL="+s.url(s.o.SimulatorPort)+diditsim.AccountPath,
		"DIDIT_API_KEY="+simulatorAPIKey,
		"DIDIT_WORKFLOW_ID="+simulatorFlow,
		"DIDIT_WEBHOOK_SECRETS="+simulatorSecret,
		"DIDIT_ENVIRONMENT="+string(simulatorEnviron),
		"DIDIT_QUEUE_PARTITIONS=1",
		"WEBHOOK_ADDR="+s.o.hostPort(s.o.WebhookPort),
		"STARTER_ADDR="+s.o.hostPort(s.o.APIPort),
		"STARTER_TOKENS="+apiCaller+":"+APIToken,
	)
}
