// Package stack starts the parts of a local system in one process, in order, and stops them in reverse.
//
// A part is a row of parts(), a function that starts it, and the ports in ports() that it listens on.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"

	"didit-temporal/dev/port"
	"didit-temporal/didit/diditsim"
)

// Options says what to run and where. A port of 0 means any free one.
type Options struct {
	Only []string // names of the parts to start; empty: all of them
	Real *Real    // the Didit that the processes talk to; nil: the simulator

	IP            string
	TemporalPort  int
	UI            bool
	UIPort        int
	SimulatorPort int
	WebhookPort   int
	MetricsPort   int  // of the worker; the webhook has the next one, the API the one after it. 0: any free ones
	Traces        bool // send traces where the OTEL_ variables say
	APIPort       int
	CodecPort     int
	SignupPort    int
	WebSDK        string // file of sdk-web for the signup page; empty: the page uses a frame

	Encrypt          bool   // payloads, with a public key; the Web UI shows them through a codec server
	DBFile           string // Temporal's SQLite file; empty: in memory
	TemporalLogLevel string
	Results          io.Writer    // where callbacks are printed; nil: results are sent nowhere
	Log              *slog.Logger // of everything but Temporal; nil: none
}

// Address is where a running part can be reached.
type Address struct {
	Key   string // the name in the READY line, e.g. "temporal"
	Title string // what a person reads, e.g. "Web UI"
	Value string
}

// Stack is what runs.
type Stack struct {
	Addresses []Address
	Simulator *diditsim.Server // nil if it does not run; for tests that make time pass at Didit

	o      Options
	stops  []func() error
	failed chan error

	watched map[string]string // addresses of metrics, by process
}

type part struct {
	name  string
	start func(context.Context, *Stack) error
}

// parts lists every part in the order in which they start.
func parts() []part {
	return []part{
		{"temporal", startTemporal},
		{"simulator", startSimulator},
		{"codec", startCodec},
		{"webhook", startWebhook},
		{"worker", startWorker},
		{"api", startAPI},
		{"signup", startSignup},
	}
}

// wanted is a port that a part is going to listen on, and the flag that moves it.
type wanted struct {
	part, what, flag string
	port             *int
}

// ports lists those of all parts.
func (o *Options) ports() []wanted {
	all := []wanted{
		{"temporal", "Temporal", "-temporal-port", &o.TemporalPort},
		{"simulator", "simulator", "-simulator-port", &o.SimulatorPort},
		{"webhook", "webhook", "-webhook-port", &o.WebhookPort},
		{"api", "API", "-api-port", &o.APIPort},
		{"signup", "signup page", "-signup-port", &o.SignupPort},
	}
	if o.UI {
		all = slices.Insert(all, 1, wanted{"temporal", "Web UI", "-ui-port", &o.UIPort})
	}
	if o.encrypts() {
		all = append(all, wanted{"codec", "codec server", "-codec-port", &o.CodecPort})
	}
	return all
}

// Names lists the parts that can be chosen.
func Names() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// Start returns when every chosen part is ready. If one fails, those already started are stopped again.
func Start(ctx context.Context, o Options) (*Stack, error) {
	chosen, err := choose(o.Only)
	if err != nil {
		return nil, err
	}
	if o.Real != nil {
		chosen = o.Real.only(chosen)
	}
	if err := settlePorts(&o, chosen); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Stack{o: o, failed: make(chan error, len(chosen)), watched: map[string]string{}}
	if o.Real != nil {
		s.Addresses = append(s.Addresses, Address{Key: "didit", Title: "Didit", Value: o.Real.Worker.DiditBaseURL})
	}
	for _, p := range chosen {
		if err := p.start(ctx, s); err != nil {
			return nil, errors.Join(fmt.Errorf("start %s: %w", p.name, err), s.Stop())
		}
	}
	s.tellMetrics()
	return s, nil
}

// Stop ends the parts, the last one started first.
func (s *Stack) Stop() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop())
	}
	s.stops = nil
	return errors.Join(errs...)
}

// Address is where the part with the key can be reached; empty if it does not run.
func (s *Stack) Address(key string) string {
	for _, a := range s.Addresses {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// WriteReady writes the one line that a parent process waits for: READY key=value ...
func (s *Stack) WriteReady(w io.Writer) error {
	line := "READY"
	for _, a := range s.Addresses {
		line += " " + a.Key + "=" + a.Value
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// choose keeps the order of parts(), whatever the order of the names.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts(), nil
	}
	for _, n := range names {
		if !slices.Contains(Names(), n) {
			return nil, fmt.Errorf("unknown part %q; there is: %s", n, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(parts(), func(p part) bool { return !slices.Contains(names, p.name) }), nil
}

// settlePorts turns every 0 into a number and finds all taken ports at once, before anything runs.
func settlePorts(o *Options, chosen []part) error {
	if net.ParseIP(o.IP) == nil {
		return fmt.Errorf("-ip %s: not an IP address", o.IP)
	}
	var errs []error
	for _, w := range o.ports() {
		if !slices.ContainsFunc(chosen, func(p part) bool { return p.name == w.part }) {
			continue
		}
		n, err := port.Pick(o.IP, *w.port)
		*w.port = n
		if taken := new(port.InUseError); errors.As(err, &taken) {
			err = fmt.Errorf("%s: %w; choose another with %s", w.what, err, w.flag)
		} else if err != nil {
			err = fmt.Errorf("%s: %w", w.what, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
