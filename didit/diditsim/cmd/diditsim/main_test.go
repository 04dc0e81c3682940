package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestParse(t *testing.T) {
	minutes := []time.Duration{time.Minute, 4 * time.Minute}
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		want func(*config)
	}{
		"nothing": {nil, nil, func(*config) {}},
		"flags": {
			[]string{"-addr", ":1", "-api-key", "k", "-webhook-url", "http://h.example", "-webhook-secret", "s", "-environment", "sandbox", "-retry-delays", "1s, 2s", "-public-url", "https://p.example", "-workflow-ids", "a,b"}, nil,
			func(c *config) {
				c.addr = ":1"
				c.options.APIKey, c.options.WebhookURL, c.options.WebhookSecret = "k", "http://h.example", "s"
				c.options.Environment, c.options.PublicURL = didit.EnvironmentSandbox, "https://p.example"
				c.options.RetryDelays = []time.Duration{time.Second, 2 * time.Second}
				c.options.WorkflowIDs = []string{"a", "b"}
			},
		},
		"the environment": {
			nil, map[string]string{"DIDITSIM_ADDR": ":2", "DIDITSIM_API_KEY": "k", "DIDITSIM_RETRY_DELAYS": "none"},
			func(c *config) { c.addr, c.options.APIKey, c.options.RetryDelays = ":2", "k", []time.Duration{} },
		},
		"a flag beats the environment": {
			[]string{"-api-key", "flag"}, map[string]string{"DIDITSIM_API_KEY": "env"}, func(c *config) { c.options.APIKey = "flag" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := config{addr: "127.0.0.1:8090"}
			want.options.Environment, want.options.RetryDelays = didit.EnvironmentLive, minutes
			tc.want(&want)
			got, err := parse(tc.args, environment(tc.env), io.Discard)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	_, err := parse([]string{"-environment", "test", "-webhook-url", "http://h.example", "-retry-delays", "soon", "-limits", "few"}, environment(nil), io.Discard)
	for _, every := range []string{"-environment", "-webhook-secret", "-retry-delays", "-limits"} {
		assert.ErrorContains(t, err, every)
	}
	for _, fault := range []string{"drop", "drop=0", "corrupt=65", "duplicate=1,2", "seed=", "lose=1"} {
		_, err = parse([]string{"-webhook-fault", fault}, environment(nil), io.Discard)
		assert.ErrorContains(t, err, "-webhook-fault", fault)
	}
	_, err = parse([]string{"serve"}, environment(nil), io.Discard)
	assert.ErrorContains(t, err, "serve")
	_, err = parse([]string{"-nonsense"}, environment(nil), io.Discard)
	assert.Error(t, err)
}

func TestWebhookFaultsAreRead(t *testing.T) {
	third := diditsim.Event{N: 3}
	for fault, want := range map[string][]diditsim.Send{
		"drop=1, 3":     nil,
		"drop=2":        {{}},
		"corrupt=3":     {{Corrupt: true}},
		"duplicate=2":   {{}, {}, {}},
		"reorder=2,3,1": {{After: 2}},
		"seed=7000":     diditsim.Seeded(7000, seededOdds)(third),
	} {
		c, err := parse([]string{"-webhook-fault", fault, "-clock-offset", "-5m"}, environment(nil), io.Discard)
		require.NoError(t, err, fault)
		assert.Equal(t, want, c.options.Webhooks(third), fault)
		assert.Equal(t, -5*time.Minute, c.clockOffset)
	}
}

func TestLimitsAreRead(t *testing.T) {
	for s, want := range map[string]diditsim.Limits{
		"":                      {},
		"none":                  diditsim.Unlimited,
		"writes=7":              {Writes: 7},
		"reads=none, creates=1": {Reads: -1, Creates: 1},
	} {
		c, err := parse(nil, environment(map[string]string{"DIDITSIM_LIMITS": s}), io.Discard)
		require.NoError(t, err, s)
		assert.Equal(t, want, c.options.Limits, s)
	}
	for _, s := range []string{"7", "reads", "reads=", "reads=0", "reads=-1", "reads=x", "pages=7", "none,reads=1", "writes=1,"} {
		_, err := limits(s)
		assert.ErrorContains(t, err, "-limits", s)
	}
}

func TestHelpShowsFlagsAndNoSecret(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"--help"}, environment(map[string]string{"DIDITSIM_API_KEY": "hidden"}), &out)
	require.ErrorIs(t, err, flag.ErrHelp)
	assert.Contains(t, out.String(), "-webhook-secret")
	assert.NotContains(t, out.String(), "hidden")
}

func TestRunServesUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &lockedBuffer{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-api-key", "hidden", "-webhook-url", "http://127.0.0.1:1/x", "-webhook-secret", "hidden"}, environment(nil), out)
	}()
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d{2,}`)
	require.Eventually(t, func() bool { return address.MatchString(out.String()) }, 5*time.Second, time.Millisecond)
	resp, err := http.Get(address.FindString(out.String()) + "/system/healthcheck")
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	list, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.FindString(out.String())+"/v3/sessions/", nil)
	require.NoError(t, err)
	list.Header.Set("x-api-key", "hidden")
	resp, err = http.DefaultClient.Do(list)
	require.NoError(t, err)
	_ = resp.Body.Close()
	accounts, err := didit.NewRegistrar(didit.RegistrarOptions{BaseURL: address.FindString(out.String()) + "/auth/v2"})
	require.NoError(t, err)
	require.NoError(t, accounts.Register(t.Context(), "ops@kyc.internal", "Str0ng!Enough"))
	code := regexp.MustCompile(`code=(\w{6})`).FindStringSubmatch(out.String())
	require.Len(t, code, 2, "the code is shown")
	_, err = accounts.VerifyEmail(t.Context(), "ops@kyc.internal", code[1])
	require.NoError(t, err)
	stop()
	assert.NoError(t, <-ended)
	assert.Contains(t, out.String(), `msg="worst minute" key=1 scope=generic-get limit=600 sent=1 accepted=1`)
	assert.NotContains(t, out.String(), "hidden")
}

func TestRunReportsWhyItCannotListen(t *testing.T) {
	assert.ErrorContains(t, run(t.Context(), []string{"-addr", "nowhere:none"}, environment(nil), io.Discard), "-addr")
}

// lockedBuffer is written and read at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
