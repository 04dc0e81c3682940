// Package compose runs the services of docker-compose.yml as processes, since no test has a Docker engine: the commands and
// the environment that the compose client makes of the file, in its order, each restarted as its policy says.
package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/hosted"
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
	page := s.until(ctx, "there is a link", http.MethodPost, "", `{"user_id":"`+user+`"}`, func(v api.Verification) bool { return v.URL != "" }).URL
	require.NoError(s.t, hosted.Press(ctx, page, "approve"))
	s.until(ctx, "there is a verdict", http.MethodGet, "/"+user, "", func(v api.Verification) bool { return v.Outcome == kyc.OutcomeApproved })
}

// until calls the API until its answer is right. No caller may read that it is at fault.
func (s *system) until(ctx context.Context, what, method, path, body string, right func(api.Verification) bool) (v api.Verification) {
	s.t.Helper()
	_, token, _ := strings.Cut(s.services["api"].Environment["STARTER_TOKENS"], ":")
	require.EventuallyWithT(s.t, func(t *assert.CollectT) {
		code, answer, err := harness.Call(ctx, http.DefaultClient, token, method, s.api+api.Path+path, body)
		require.NoError(t, err)
		if code/100 == 4 {
			s.t.Errorf("%s %s: %d %s", method, path, code, answer)
		}
		require.Less(t, code, http.StatusMultipleChoices)
		v = api.Verification{}
		require.NoError(t, json.Unmarshal(answer, &v))
		require.True(t, right(v), "%+v", v)
	}, timeout, 200*time.Millisecond, what)
	return v
}
