package tserver

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/dev/postgres"
	"didit-temporal/dev/skip"
)

const queue = "tserver-test"

func hello(ctx workflow.Context) (string, error) {
	return "hello", workflow.Sleep(ctx, 20*time.Millisecond)
}

func TestServerRunsWorkflowsAndStops(t *testing.T) {
	t.Setenv(AddressVariable, "")
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_TLS", "TEMPORAL_CONFIG_FILE"} {
		t.Setenv(name, "nowhere.invalid") // must not matter
	}
	s := Run(t, Options{UI: true})
	c := dial(t, s)
	work(t, c)
	wantHello(t, c, start(t, c))

	resp, err := http.Get(s.UIURL + "/api/v1/namespaces/default")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("Web UI answers %s, want 200", resp.Status)
	}

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, s.Address)
}

func TestKilledServerKeepsItsFileAndAddress(t *testing.T) {
	t.Setenv(AddressVariable, "")
	s := Run(t, Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	c := dial(t, s)
	run := start(t, c) // no worker yet
	addr := s.Address

	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, addr)
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Address != addr {
		t.Fatalf("restarted at %s, was at %s", s.Address, addr)
	}
	d, err := c.DescribeWorkflow(t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.RawResponse.GetWorkflowExecutionInfo().GetStatus(); got != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("status after the restart = %v, want running", got)
	}
	work(t, c)
	wantHello(t, c, run)
}

// TestKilledParentLeavesNoServer runs this test binary again as the parent, and kills it.
func TestKilledParentLeavesNoServer(t *testing.T) {
	const role = "TSERVER_TEST_PARENT"
	t.Setenv(AddressVariable, "")
	if os.Getenv(role) != "" {
		s, err := Start(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("\nADDRESS " + s.Address + "\n")
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), role+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	var addr string
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "ADDRESS ")
		if addr == lines.Text() {
			addr = ""
		}
	}
	if conn, err := net.Dial("tcp", addr); err != nil {
		t.Fatalf("the parent's server at %q: %v", addr, err)
	} else {
		_ = conn.Close()
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, addr)
}

func TestStartSaysWhyItFailed(t *testing.T) {
	t.Setenv(AddressVariable, "")
	file := filepath.Join(t.TempDir(), "not-a.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, taken, _ := net.SplitHostPort(l.Addr().String())
	for _, tc := range []struct {
		name string
		o    Options
		want []string
	}{
		{"broken file", Options{DBFile: file}, []string{file, "not a database"}},
		{"taken port", Options{Port: l.Addr().(*net.TCPAddr).Port}, []string{"port " + taken + " is in use", "is in use on"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Start(t.Context(), tc.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
		})
	}
}

func TestServerOfSomebodyElse(t *testing.T) {
	t.Setenv(AddressVariable, "192.0.2.1:7233")
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Address != "192.0.2.1:7233" {
		t.Errorf("Address = %s", s.Address)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if err := s.Kill(); !errors.Is(err, ErrNotOurs) {
		t.Errorf("Kill: %v", err)
	}
	if err := s.Restart(t.Context()); !errors.Is(err, ErrNotOurs) {
		t.Errorf("Restart: %v", err)
	}
	if _, err := Start(t.Context(), Options{DBFile: "x.db"}); !errors.Is(err, ErrNotOurs) {
		t.Errorf("Start with a file: %v", err)
	}
}

func dial(t *testing.T, s *Server) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.Address, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func work(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(hello)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func start(t *testing.T, c client.Client) client.WorkflowRun {
	t.Helper()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "w1", TaskQueue: queue}, hello)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func wantHello(t *testing.T, c client.Client, run client.WorkflowRun) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got string
	if err := c.GetWorkflow(ctx, run.GetID(), run.GetRunID()).Get(ctx, &got); err != nil || got != "hello" {
		t.Fatalf("workflow: %q, %v", got, err)
	}
}

// wantClosed waits until nothing listens at addr.
func wantClosed(t *testing.T, addr string) {
	t.Helper()
	for range 100 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = conn.Close()
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("something still listens at %s", addr)
}

func TestAServerKeepsItsStateInPostgreSQL(t *testing.T) {
	t.Setenv(AddressVariable, "")
	db, err := postgres.Start(t.Context())
	if errors.Is(err, postgres.ErrNotInstalled) {
		skip.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	c := dial(t, Run(t, Options{Postgres: db.Address}))
	work(t, c)
	wantHello(t, c, start(t, c))
}
