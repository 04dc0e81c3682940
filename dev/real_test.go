//go:build !race

// Not under the race detector, for the reason of main_test.go.

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"didit-temporal/dev/port"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

const (
	someKey    = "k-0123456789abcdef"
	someFlow   = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	someSecret = "s-0123456789abcdef"
)

// settings are good ones, changed by pairs of a name and a value.
func settings(changes ...string) func(string) string {
	values := map[string]string{"DIDIT_API_KEY": someKey, "DIDIT_WORKFLOW_ID": someFlow, "DIDIT_ENVIRONMENT": "sandbox"}
	for pair := range slices.Chunk(changes, 2) {
		values[pair[0]] = pair[1]
	}
	return func(name string) string { return values[name] }
}

// A shell that is set up for the real Didit must not make a developer's play cost money.
func TestTheEnvironmentDoesNotMatterUnlessRealIsAskedFor(t *testing.T) {
	var calls atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer canary.Close()
	for _, v := range config.Variables() {
		if !strings.HasPrefix(v.Name, "OTEL_") { // the server that runs here reads those itself; they cost nothing
			t.Setenv(strings.TrimSuffix(v.Name, "*"), canary.URL)
		}
	}
	t.Setenv("DIDIT", "real")
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstWrite{done: cancel}
	nobodyAsks := func(name string) string {
		t.Errorf("%s was read", name)
		return os.Getenv(name)
	}
	if err := runWith(ctx, strings.Fields(freePorts+" -ui=false"), nobodyAsks, canary.URL, out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "A verification waits for its user") || strings.Contains(out.String(), "REAL") {
		t.Errorf("said:\n%s", out)
	}
	if n := calls.Load(); n > 0 {
		t.Errorf("%d calls to the real Didit, unasked", n)
	}
}

func TestRealSettingsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		getenv func(string) string
		want   []string
	}{
		"nothing is set": {func(string) string { return "" }, []string{"DIDIT_API_KEY is not set", "DIDIT_WORKFLOW_ID is not set", "DIDIT_ENVIRONMENT is not set: say whether"}},
		"a placeholder":  {settings("DIDIT_API_KEY", "your-key"), []string{"DIDIT_API_KEY is a placeholder"}},
		"our simulator's": {settings("DIDIT_API_KEY", "simulator-api-key", "DIDIT_WORKFLOW_ID", "d1d17000-0000-4000-8000-000000000001", "DIDIT_WEBHOOK_SECRETS", "simulator-webhook-secret"),
			[]string{"DIDIT_API_KEY is the simulator's", "DIDIT_WORKFLOW_ID is the simulator's", "DIDIT_WEBHOOK_SECRETS holds the simulator's"}},
		"another Didit":        {settings("DIDIT_BASE_URL", "http://simulator:8090"), []string{"DIDIT_BASE_URL names another Didit"}},
		"no such environment":  {settings("DIDIT_ENVIRONMENT", "test"), []string{"want one of live, sandbox"}},
		"a secret that is bad": {settings("DIDIT_WEBHOOK_SECRETS", "short"), []string{"DIDIT_WEBHOOK_SECRETS has an entry of 5 characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := runWith(t.Context(), []string{"-didit", "real"}, tc.getenv, "http://127.0.0.1:1", io.Discard)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
		})
	}
}

// A copy of .env.example that was not filled in.
func TestTheExampleIsRefused(t *testing.T) {
	err := runWith(t.Context(), []string{"-didit", "real", "-env-file", "../.env.example"}, settings(), "http://127.0.0.1:1", io.Discard)
	for _, name := range []string{"DIDIT_API_KEY", "DIDIT_WORKFLOW_ID", "DIDIT_BASE_URL", "DIDIT_WEBHOOK_SECRETS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want something about %s", err, name)
		}
	}
}

func TestTheFileIsReadAndNothingElse(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	text := "# real\nexport DIDIT_API_KEY='" + someKey + "'\nDIDIT_WORKFLOW_ID=" + someFlow + " # the flow\n\nDIDIT_ENVIRONMENT=\"live\"\nRECONCILE_AFTER=\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	c := command{envFile: file}
	if err := c.useRealDidit(settings("DIDIT_API_KEY", "another-key", "DIDIT_WEBHOOK_SECRETS", someSecret), "https://didit.example"); err != nil {
		t.Fatal(err)
	}
	w := c.Real.Worker
	if w.DiditAPIKey.Reveal() != someKey || w.DiditWorkflowID != someFlow || w.Environment != config.Live || c.Real.Hears() {
		t.Errorf("%+v", c.Real)
	}
	if w.ReconcileAfter != time.Minute || w.QueuePartitions != 1 || w.DiditBaseURL != "https://didit.example" || c.DBFile != "didit-live.db" {
		t.Errorf("%+v, state in %q", w, c.DBFile)
	}
	if state, err := os.Stat(c.DBFile); err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("the state is %v, %v", state, err)
	}
	if err := os.WriteFile(file, []byte("DIDIT_API_KEY="+someKey+"\nhunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.useRealDidit(settings(), ""); err == nil || !strings.Contains(err.Error(), "line 2: want NAME=value") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

// A file of state that an older program or a copy has left open to others.
func TestTheStateIsShutToOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.db")
	if err := os.WriteFile(file, []byte("state"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := private(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 5 {
		t.Errorf("%v, %v", info, err)
	}
}

// The whole mode, with the simulator in the place of the real Didit: nothing is started by itself, without a webhook the
// verdict is found all the same, and payloads have the key of the settings.
func TestRealModeFindsTheVerdictWithoutWebhooks(t *testing.T) {
	sim := diditsim.New(diditsim.Options{APIKey: someKey, WorkflowIDs: []string{someFlow}, Environment: didit.EnvironmentSandbox})
	defer sim.Close()
	api := httptest.NewServer(sim)
	defer api.Close()
	temporal, err := port.Pick("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	own, err := codec.Generate("own")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := codec.ParseKeys(own)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done, db := make(chan struct{}), make(chan error, 1), filepath.Join(t.TempDir(), "real.db")
	out := &firstWrite{done: func() { close(ready) }}
	go func() {
		done <- runWith(ctx, []string{"-didit", "real", "-temporal-port", strconv.Itoa(temporal), "-ui=false", "-db", db},
			settings("RECONCILE_AFTER", "1s", "PAYLOAD_KEYS", own), api.URL, out)
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	if n := len(sim.Sessions()); n > 0 {
		t.Errorf("%d sessions were made, unasked", n)
	}
	for _, want := range []string{"THE REAL DIDIT, SANDBOX", api.URL, "no webhook is taken: the worker polls Didit, first after 1s", db} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("said nothing of %q:\n%s", want, out)
		}
	}
	approve(t, strconv.Itoa(temporal), sim, keys)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func approve(t *testing.T, temporal string, sim *diditsim.Server, keys codec.Keys) {
	t.Helper()
	o := client.Options{HostPort: "127.0.0.1:" + temporal}
	keys.Apply(&o)
	c, err := kyc.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	started, err := c.Start(t.Context(), kyc.Input{UserID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []didit.Status{didit.StatusInProgress, didit.StatusApproved} {
		if err := sim.SetStatus(started.Session.SessionID, status); err != nil {
			t.Fatal(err)
		}
	}
	state, err := c.Wait(t.Context(), "u1")
	if err != nil || state.Outcome != kyc.OutcomeApproved {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestRealModeTakesWebhooksWhenItHasASecret(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstWrite{done: cancel}
	err := runWith(ctx, []string{"-didit", "real", "-temporal-port", "0", "-ui=false", "-webhook-port", "0", "-db", filepath.Join(t.TempDir(), "real.db")},
		settings("DIDIT_ENVIRONMENT", "live", "DIDIT_WEBHOOK_SECRETS", someSecret), "http://127.0.0.1:1", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"THE REAL DIDIT, LIVE", "/webhooks/didit", "cloudflared tunnel --url http://127.0.0.1:", "first after 1m0s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("said nothing of %q:\n%s", want, out)
		}
	}
	for _, secret := range []string{someKey, someSecret} {
		if bytes.Contains(out.Bytes(), []byte(secret)) {
			t.Error("a secret was printed")
		}
	}
}

// make takes variables of the shell as its own; this one must come from the command line.
func TestMakeUsesTheRealDiditOnlyOnRequest(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
	for _, tc := range []struct {
		args, shell string
		want        bool
	}{
		{"-n dev", "", false},
		{"-n dev", "DIDIT=real", false},
		{"-n -e dev", "DIDIT=real", false},
		{"-n dev DIDIT=real", "", true},
	} {
		cmd := exec.CommandContext(t.Context(), "make", strings.Fields(tc.args)...)
		cmd.Dir = ".."
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "MAKE") || strings.HasPrefix(kv, "MFLAGS") }), tc.shell)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", tc.args, err, out)
		}
		if got := strings.Contains(string(out), `exec dev/bin/dev -didit="real"`); got != tc.want || !strings.Contains(string(out), "exec dev/bin/dev") {
			t.Errorf("%s make %s: real is %v, want %v", tc.shell, tc.args, got, tc.want)
		}
	}
}
