package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"didit-temporal/dev/stack"
	"didit-temporal/internal/config"
	"didit-temporal/internal/envfile"
	"didit-temporal/webhook/receiver"
)

// soon is the first poll of Didit in this mode: most people have no way for webhooks to reach their machine.
const soon = "1m"

// useRealDidit reads the settings, from the file if one is named and else from the environment, never from both: which
// key is used must not depend on what a shell happens to hold.
func (c *command) useRealDidit(getenv func(string) string, url string) error {
	if c.envFile != "" {
		var err error
		if getenv, err = readEnvFile(c.envFile); err != nil {
			return err
		}
	}
	r, err := readReal(getenv, url)
	if err != nil {
		return fmt.Errorf("-didit real needs settings of the real Didit (docs/guides/real-didit.md):\n%w", err)
	}
	c.Real = r
	if c.DBFile == "" { // a session costs money and lives for days: its verification must outlive this process
		c.DBFile = "didit-" + string(r.Worker.Environment) + ".db"
	}
	return private(c.DBFile)
}

// private makes the file of the state before others can read it, or shuts them out: the history holds URLs, which are secrets.
func private(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE, 0o600) //nolint:gosec // the developer names the file
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func readReal(getenv func(string) string, url string) (*stack.Real, error) {
	r, errs := &stack.Real{}, refusals(getenv)
	real := func(name string) string {
		value := strings.TrimSpace(getenv(name))
		switch {
		case name == "DIDIT_BASE_URL":
			return url
		case name == "DIDIT_QUEUE_PARTITIONS": // the server here has one
			return "1"
		case name == "RECONCILE_AFTER" && value == "":
			return soon
		}
		return value
	}
	var err error
	if r.Worker, err = config.ForWorker(real); err != nil {
		errs = append(errs, err)
	}
	if real("DIDIT_WEBHOOK_SECRETS")+real("DIDIT_WEBHOOK_SECRETS_FILE") != "" {
		if r.Webhook, err = config.ForWebhook(real); err != nil {
			errs = append(errs, err)
		}
	}
	return r, errors.Join(append(errs, simulators(r)...)...)
}

// refusals finds what a process in production would take.
func refusals(getenv func(string) string) (errs []error) {
	if getenv("DIDIT_ENVIRONMENT") == "" {
		errs = append(errs, errors.New("DIDIT_ENVIRONMENT is not set: say whether the application is live or sandbox"))
	}
	if u := strings.TrimRight(strings.TrimSpace(getenv("DIDIT_BASE_URL")), "/"); u != "" && u != config.Default("DIDIT_BASE_URL") {
		errs = append(errs, errors.New("DIDIT_BASE_URL names another Didit than the real one: remove it"))
	}
	return errs
}

// simulators finds settings that every reader of the repository has. Didit would refuse them, and with a worse message.
func simulators(r *stack.Real) (errs []error) {
	if isSimulators(r.Worker.DiditAPIKey) {
		errs = append(errs, errors.New("DIDIT_API_KEY is the simulator's"))
	}
	if slices.Contains(stack.SimulatorFlows(), r.Worker.DiditWorkflowID) {
		errs = append(errs, errors.New("DIDIT_WORKFLOW_ID is the simulator's"))
	}
	if slices.ContainsFunc(r.Webhook.Secrets, isSimulators) {
		errs = append(errs, errors.New("DIDIT_WEBHOOK_SECRETS holds the simulator's"))
	}
	return errs
}

func isSimulators(s config.Secret) bool { return strings.HasPrefix(s.Reveal(), "simulator") }

// readEnvFile is strict: a setting that is overlooked would be a default. Errors never show a value.
func readEnvFile(name string) (func(string) string, error) {
	f, err := envfile.Read(name)
	if err != nil {
		return nil, err
	}
	if line := f.Unreadable(); line > 0 {
		return nil, fmt.Errorf("%s, line %d: want NAME=value", name, line)
	}
	return f.Get, nil
}

// banner says loudly what is at stake.
func banner(r *stack.Real) string {
	switch {
	case r == nil:
		return ""
	case r.Worker.Environment == config.Live:
		return "*** THE REAL DIDIT, LIVE: sessions cost money and are about real people. ***\n\n"
	}
	return "*** THE REAL DIDIT, SANDBOX: a sandbox application's key; the answers are made up. ***\n\n"
}

// realPage says what a person does next.
func realPage(s *stack.Stack, r *stack.Real) string {
	page := "Nothing was started. In another terminal, for one session at Didit:\n\n  make build && " + starter(s) + " start --user u1 --wait\n\n"
	if !r.Hears() {
		return page + fmt.Sprintf("DIDIT_WEBHOOK_SECRETS is not set, so no webhook is taken: the worker polls Didit, first after %s.\n\n",
			r.Worker.ReconcileAfter)
	}
	local := strings.TrimSuffix(s.Address("webhook"), receiver.Path)
	return page + fmt.Sprintf(`Webhooks need a way from the internet to this machine, for example one of

  cloudflared tunnel --url %[1]s
  ngrok http %[1]s

and a destination https://THAT-HOST%[2]s in Didit's console (docs/guides/real-didit.md). Until there is one the
worker polls Didit, first after %[3]s.

`, local, receiver.Path, r.Worker.ReconcileAfter)
}
