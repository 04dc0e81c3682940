// Not under the race detector, with which the whole server would be compiled a second time.

//go:build !race

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestAStoppedServerLeavesNoWriteAheadLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.db")
	s, err := Start(t.Context(), options(t, file))
	if err != nil {
		t.Fatal(err)
	}
	log := file + "-wal"
	if b, err := os.ReadFile(log); err != nil || len(b) == 0 {
		t.Fatalf("the control: while the server runs, its log has %d bytes, error %v", len(b), err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(log); err == nil && len(b) > 0 {
		t.Errorf("%d bytes are left in %s", len(b), filepath.Base(log))
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, options(t, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func options(t *testing.T, file string) Options {
	t.Helper()
	ports := make([]int, 4)
	for i := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return Options{IP: loopback, Port: ports[0], InternalPorts: ports[1:], DBFile: file, LogLevel: "fatal"}
}

func TestFlagsOfTLSThatDoNotGoTogetherAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"a certificate without its key": {TLSCert: "cert.pem"},
		"clients without a server":      {TLSClientCA: "ca.pem"},
		"a key that anyone can read":    {APIKey: "key"},
		"the Web UI":                    {TLSCert: "cert.pem", TLSKey: "key.pem", UIPort: 1},
	} {
		if err := o.checkTLS(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	plain := Options{}
	if err := plain.checkTLS(); err != nil {
		t.Error(err)
	}
}
