// Package compose runs the services of docker-compose.yml as processes, since no test has a Docker engine: the commands and
// the environment that the compose client makes of the file, in its order, each restarted as its policy says.
package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

// timeout is for conditions that come true soon on a fast machine; it is only used up when a test fails.
const timeout = 3 * time.Minute

var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(procs.Main(m, "", &programs, "./cmd/kyc", "./didit/diditsim/cmd/diditsim"))
}

// service is one of ours as the compose client resolves it.
type service struct {
	Command     []string
	Environment map[string]string
	Restart     string
}

// system is the services of the file, with addresses of this machine in place of the containers'.
type system struct {
	t         *testing.T
	services  map[string]service
	addresses *strings.Replacer
	api       string
	running   map[string]*procs.Program
}

// Whichever service dies, the system heals by itself: the next person who signs up gets a verdict.
func TestTheSystemHealsWhicheverServiceIsRestarted(t *testing.T) {
	skip.Long(t)
	server := tserver.Run(t, tserver.Options{DBFile: filepath.Join(t.TempDir(), "temporal.db")})
	s := newSystem(t, server.Address)
	s.up()
	s.signup("before")
	for name, p := range s.running {
		require.NoError(t, p.Kill(harness.Within(t, timeout)), name)
		s.signup("after-" + name)
	}
	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart(harness.Within(t, timeout)))
	s.signup("after-temporal")
}

func newSystem(t *testing.T, temporal string) *system {
	t.Helper()
	webhook, signups, simulator := harness.Address(t), harness.Address(t), harness.Address(t)
	var file struct{ Services map[string]service }
	require.NoError(t, json.Unmarshal(config(t), &file))
	return &system{
		t: t, services: file.Services, api: "http://" + signups, running: map[string]*procs.Program{},
		addresses: strings.NewReplacer(
			"temporal:7233", temporal, "http://webhook:8080", "http://"+webhook, "http://simulator:8090", "http://"+simulator,
			"http://127.0.0.1:18090", "http://"+simulator, // the link is opened in this test
			":8080", webhook, ":8081", signups, ":8090", simulator, ":8082", harness.Address(t), ":9464", "127.0.0.1:0",
		),
	}
}

// config is docker-compose.yml as the compose client resolves it with the example's settings.
func config(t *testing.T) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile=dev/tools/compose/go.mod", "cmd",
		"--env-file", ".env.example", "--profile", "sim", "config", "--format", "json")
	cmd.Dir = "../.."
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	require.NoError(t, err, wrong.String())
	return out
}

// up starts the services in the order of their depends_on.
func (s *system) up() {
	s.t.Helper()
	setup := s.services["setup"]
	require.Contains(s.t, setup.Restart, "on-failure")
	cmd := exec.CommandContext(harness.Within(s.t, timeout), filepath.Join(programs, "kyc"), setup.Command...)
	cmd.Env = s.environment(setup)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, string(out))
	for _, name := range []string{"worker", "webhook", "api", "codec", "simulator"} {
		one := s.services[name]
		require.Equal(s.t, "unless-stopped", one.Restart, name)
		program := "kyc"
		if name == "simulator" {
			program = "diditsim"
		}
		s.running[name] = harness.Supervise(s.t, programs, program, one.Command, s.environment(one)...)
	}
}

func (s *system) environment(one service) (all []string) {
	for name, value := range one.Environment {
		all = append(all, name+"="+s.addresses.Replace(value))
	}
	return all
}

// signup is one person, from START to the verdict. A caller tries again while a service is away.
func (s *system) signup(user string) {
	s.t.Helper()
	ctx := harness.Within(s.t, timeout)
	var began, now api.Verification
	s.eventually(ctx, user+" gets a link", func() bool {
		return s.call(ctx, http.MethodPost, api.Path, `{"user_id":"`+user+`"}`, &began) == nil && began.URL != ""
	})
	s.press(ctx, began.URL)
	s.eventually(ctx, user+" is verified", func() bool {
		return s.call(ctx, http.MethodGet, api.Path+"/"+user, "", &now) == nil && now.Outcome == kyc.OutcomeApproved
	})
}

func (s *system) call(ctx context.Context, method, path, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.api+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	_, token, _ := strings.Cut(s.services["api"].Environment["STARTER_TOKENS"], ":")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	require.True(s.t, res.StatusCode < http.StatusMultipleChoices || res.StatusCode >= http.StatusInternalServerError, res.Status)
	if res.StatusCode >= http.StatusMultipleChoices {
		return errors.New(res.Status)
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// press approves the person on the simulated page.
func (s *system) press(ctx context.Context, page string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader("action=approve"))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	require.Equal(s.t, http.StatusOK, res.StatusCode)
}

func (s *system) eventually(ctx context.Context, what string, done func() bool) {
	s.t.Helper()
	for !done() {
		select {
		case <-ctx.Done():
			s.t.Fatal(what+":", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
