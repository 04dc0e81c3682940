//go:build !race

// Not under the race detector, with which the whole server would be compiled a second time.

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"didit-temporal/dev/stack"
)

// freePorts lets the tests run beside make dev.
const freePorts = "-temporal-port 0 -ui-port 0 -simulator-port 0 -codec-port 0 -webhook-port 0 -api-port 0 -signup-port 0 -metrics-port 0"

func TestMistakesAreNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for _, tc := range []struct{ args, want string }{
		{"-only temporal,kafka", `unknown part "kafka"; there is: temporal`},
		{"-no-such-flag", "-no-such-flag (-help lists the flags)"},
		{"temporal", `unexpected argument "temporal"`},
		{"-didit live", "-didit live: want simulated or real"},
		{"-env-file .env", "-env-file is for -didit real"},
		{"-didit real -only temporal", "-only does not go with -didit real"},
		{"-didit real -env-file no-such.env", "open no-such.env"},
		{"-ip localhost", "-ip localhost: not an IP address"},
		{"-temporal-port 70000", "Temporal: "},
		{freePorts + " -log-level loud", `-log-level "loud"`},
		{"-temporal-port " + taken + " -ui-port " + taken, "Temporal: port " + taken +
			" is in use on 127.0.0.1; choose another with -temporal-port\n" +
			"Web UI: port " + taken + " is in use on 127.0.0.1; choose another with -ui-port"},
	} {
		err := run(t.Context(), strings.Fields(tc.args), nil, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.args, err, tc.want)
		}
	}
}

// What the page says must work as it stands, on other ports too.
func TestThePageNamesTheTemporalThatRuns(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:7233":  "make build && bin/starter start --user u2",
		"127.0.0.1:27233": "make build && TEMPORAL_ADDRESS=127.0.0.1:27233 bin/starter start --user u2",
	} {
		s := &stack.Stack{Addresses: []stack.Address{{Key: "temporal", Value: address}}}
		if page := (links{starter: starter(s)}).page(); !strings.Contains(page, want) {
			t.Errorf("%s: page lacks %q:\n%s", address, want, page)
		}
	}
}

func TestRunReportsAndStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstWrite{done: cancel}
	began := time.Now()
	err := run(ctx, strings.Fields("-only temporal -temporal-port 0 -ui-port 0"), nil, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started and stopped in %v", time.Since(began))
	for _, want := range []string{"Temporal   127.0.0.1:", "Web UI     http://127.0.0.1:", "in memory"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestStoppedBeforeReadyIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, strings.Fields(freePorts), nil, &out); err != nil {
		t.Error(err)
	}
	if out.Len() > 0 {
		t.Errorf("said %q", &out)
	}
}

func TestPartsMayBeSpaced(t *testing.T) {
	o, err := parse([]string{"-only", " temporal, simulator,"}, io.Discard)
	if want := []string{"temporal", "simulator"}; err != nil || !slices.Equal(o.Only, want) {
		t.Errorf("Only = %q, %v, want %q", o.Only, err, want)
	}
}

// firstWrite calls done at a write.
type firstWrite struct {
	bytes.Buffer
	done func()
}

func (w *firstWrite) Write(p []byte) (int, error) {
	w.done()
	return w.Buffer.Write(p)
}
