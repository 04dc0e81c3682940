//go:build !race

// Not under the race detector, with which the whole server would be compiled a second time.

package temporal

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/port"
)

func TestServersInOneProcessShareNothing(t *testing.T) {
	a := run(t, Options{SearchAttributes: attributes("OnlyA"), UI: true})
	b := run(t, Options{UI: true})
	wantAttributes(t, a, "OnlyA")
	wantAttributes(t, b)
}

func TestSearchAttributesOfAKnownFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new folder", "temporal.db")
	for _, names := range [][]string{{"First"}, {"First", "Second"}} {
		s, err := Start(t.Context(), Options{DBFile: file, SearchAttributes: attributes(names...)})
		if err != nil {
			t.Fatal(err)
		}
		wantAttributes(t, s, names...)
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	clash := map[string]enumspb.IndexedValueType{"First": enumspb.INDEXED_VALUE_TYPE_INT}
	s, err := Start(t.Context(), Options{DBFile: file, SearchAttributes: clash})
	if err == nil {
		_ = s.Stop()
		t.Fatal("an attribute changed its type")
	}
	if !strings.Contains(err.Error(), "First is of type Keyword, want Int") {
		t.Errorf("error = %v", err)
	}
}

// What was deleted can be read in a write-ahead log that is left behind.
func TestAStoppedServerLeavesNoWriteAheadLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.db")
	s, err := Start(t.Context(), Options{DBFile: file})
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

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().(*net.TCPAddr).Port
	for name, o := range map[string]Options{
		"Temporal": {Port: taken},
		"Web UI":   {UI: true, UIPort: taken},
	} {
		_, err := Start(t.Context(), o)
		var inUse *port.InUseError
		if !errors.As(err, &inUse) || inUse.Port != taken || !strings.Contains(err.Error(), name) {
			t.Errorf("%s on a taken port: %v", name, err)
		}
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func run(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func attributes(names ...string) map[string]enumspb.IndexedValueType {
	m := map[string]enumspb.IndexedValueType{}
	for _, n := range names {
		m[n] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	return m
}

func wantAttributes(t *testing.T, s *Server, names ...string) {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.Address})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	resp, err := c.OperatorService().ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: s.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	have := resp.GetCustomAttributes()
	if len(have) != len(names) {
		t.Errorf("attributes = %v, want %v", have, names)
	}
	for _, n := range names {
		if _, ok := have[n]; !ok {
			t.Errorf("%s is missing in %v", n, have)
		}
	}
}
