package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

const usage = `diditsim serves a simulated Didit for development: the session API, the hosted page, and signed webhooks with Didit's
retries. It keeps all data in memory.

  diditsim -api-key test -webhook-url http://127.0.0.1:8080/webhooks/didit -webhook-secret local

Each flag but -clock-offset has an environment variable: -api-key is DIDITSIM_API_KEY, and so on. Set keys and secrets
there, because other users of the machine can see a command line.

`

// config is what the flags and the environment set.
type config struct {
	addr        string
	clockOffset time.Duration
	options     diditsim.Options
}

// parse reads the flags, each with its default from the environment, and reports every mistake at once.
func parse(args []string, getenv func(string) string, out io.Writer) (config, error) {
	var c config
	var environment, retries, flows, fault, allowed string
	fs := flag.NewFlagSet("diditsim", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		_, _ = fmt.Fprint(out, usage, "Flags:\n")
		fs.PrintDefaults()
	}
	text := func(p *string, name, fallback, help string) {
		key := "DIDITSIM_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		fs.StringVar(p, name, fallback, help)
		*p = cmp.Or(getenv(key), fallback) // not as the flag's default: help would print a secret
	}
	o := &c.options
	text(&c.addr, "addr", "127.0.0.1:8090", "`address` to listen on; the default is for this machine only")
	text(&o.APIKey, "api-key", "", "the API `key` that is accepted; empty accepts any")
	text(&flows, "workflow-ids", "", "comma-separated `ids` of the flows that exist; empty accepts every UUID")
	text(&environment, "environment", "live", "`live or sandbox`, as decisions and webhooks have it")
	text(&o.WebhookURL, "webhook-url", "", "`URL` that receives the webhooks; empty sends none")
	text(&o.WebhookSecret, "webhook-secret", "", "`secret` that signs the webhooks; required with -webhook-url")
	text(&retries, "retry-delays", "1m,4m", "comma-separated `delays` before each retry of a failed webhook, or none")
	text(&o.PublicURL, "public-url", "", "base `URL` of the links to the hosted page; empty takes the host of the request")
	text(&fault, "webhook-fault", "", faultHelp)
	text(&allowed, "limits", "", limitsHelp)
	fs.DurationVar(&c.clockOffset, "clock-offset", 0, "how `far` the clock is ahead, or behind if negative")
	if err := fs.Parse(args); err != nil {
		return config{}, err
	}
	if fs.NArg() > 0 {
		return config{}, fmt.Errorf("%q is not a flag; see -help", fs.Arg(0))
	}
	o.Environment = didit.Environment(environment)
	if flows != "" {
		o.WorkflowIDs = strings.Split(flows, ",")
	}
	var badDelays, badFault, badLimits error
	o.RetryDelays, badDelays = delays(retries)
	o.Webhooks, badFault = webhookFault(fault)
	o.Limits, badLimits = limits(allowed)
	return c, errors.Join(badDelays, badFault, badLimits, check(*o))
}

func check(o diditsim.Options) error {
	var errs []error
	if o.Environment != didit.EnvironmentLive && o.Environment != didit.EnvironmentSandbox {
		errs = append(errs, fmt.Errorf("-environment %q: want live or sandbox", o.Environment))
	}
	if o.WebhookURL != "" && o.WebhookSecret == "" {
		errs = append(errs, errors.New("-webhook-url needs -webhook-secret"))
	}
	return errors.Join(errs...)
}

// delays reads "1m,4m"; "none" is empty, which is not nil.
func delays(s string) ([]time.Duration, error) {
	out := []time.Duration{}
	if s == "none" {
		return out, nil
	}
	for item := range strings.SplitSeq(s, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(item))
		if err != nil || d < 0 {
			return nil, fmt.Errorf("-retry-delays %q: want durations such as 1m,4m, or none", s)
		}
		out = append(out, d)
	}
	return out, nil
}

// greeting shows the address and how to begin. It shows no secret.
func (c config) greeting(addr net.Addr) string {
	key := "the given API key"
	if c.options.APIKey == "" {
		key = "any API key"
	}
	hooks := "none: no -webhook-url"
	if c.options.WebhookURL != "" {
		hooks = "status.updated to " + c.options.WebhookURL
	}
	return fmt.Sprintf("A simulated Didit listens on http://%s (%s, %s)\n  create    POST /v3/session/ with x-api-key; open the url it returns\n"+
		"  account   register at %s; the log shows the code\n  health    GET /system/healthcheck\n  webhooks  %s\n", addr, key, c.options.Environment, diditsim.AccountPath, hooks)
}
