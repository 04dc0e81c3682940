// Package proxied puts real reverse proxies, as their packages set them up, in front of the webhook and the API.
package proxied

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/internal/app"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

const (
	secret  = "proxied-webhook-secret-of-no-account"
	timeout = time.Minute
	rounds  = 40
)

// proxies are the settings of each: where to listen and what stands behind it. All else is its default.
var proxies = []struct {
	program, file string
	args          func(file string) []string
	settings      func(dir, listen string, behind []string) string
}{
	{"nginx", "nginx.conf", func(file string) []string { return []string{"-c", file, "-g", "daemon off;"} }, func(dir, listen string, behind []string) string {
		return fmt.Sprintf("user root;\npid %[1]s/pid;\nerror_log stderr crit;\nevents {}\nhttp {\n access_log off;\n client_body_temp_path %[1]s/body;\n proxy_temp_path %[1]s/proxy;\n"+
			" fastcgi_temp_path %[1]s/f;\n uwsgi_temp_path %[1]s/u;\n scgi_temp_path %[1]s/s;\n upstream ours { server %[3]s; }\n server { listen %[2]s; location / { proxy_pass http://ours; } }\n}\n",
			dir, listen, strings.Join(behind, "; server "))
	}},
	{"haproxy", "haproxy.cfg", func(file string) []string { return []string{"-db", "-f", file} }, func(_, listen string, behind []string) string {
		return fmt.Sprintf("defaults\n mode http\n timeout connect 5000\n timeout client 50000\n timeout server 50000\nfrontend in\n bind %s\n default_backend ours\nbackend ours\n server a %s\n server b %s\n",
			listen, behind[0], behind[1])
	}},
	{"caddy", "Caddyfile", func(file string) []string { return []string{"run", "--config", file, "--adapter", "caddyfile"} }, func(_, listen string, behind []string) string {
		return fmt.Sprintf("{\n admin off\n auto_https off\n}\nhttp://%s {\n reverse_proxy %s {\n lb_policy round_robin\n }\n}\n", listen, strings.Join(behind, " "))
	}},
}

// A stranger's request that is refused before it has been read must get its answer, or the proxy takes the replica for broken
// and sends the next genuine webhook nowhere.
func TestARefusalBehindAProxyCostsNoReplica(t *testing.T) {
	skip.Long(t)
	_, c := harness.Temporal(t, tserver.Options{})
	webhooks, apis := replicas(t, c, serveWebhook), replicas(t, c, serveAPI)
	for _, p := range proxies {
		t.Run(p.program, func(t *testing.T) {
			skip.Program(t, p.program, p.program)
			dir := t.TempDir()
			front := func(name string, behind []string) string {
				listen := harness.Address(t)
				file := filepath.Join(dir, name+p.file)
				require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(p.settings(filepath.Join(dir, name), listen, behind)), 0o600))
				run(t, dir, listen, p.program, p.args(file)...)
				return "http://" + listen
			}
			webhook, starter := front("webhook", webhooks)+receiver.Path, front("api", apis)+api.Path
			got := map[string]map[int]int{"unsigned": {}, "huge": {}, "genuine": {}, "no token": {}}
			senders := map[string]*http.Client{} // a stranger's connection is not Didit's
			for kind := range got {
				senders[kind] = &http.Client{Transport: &http.Transport{}}
			}
			for range rounds {
				got["unsigned"][post(t, senders["unsigned"], webhook, strings.Repeat("x", 40_000), nil)]++
				got["huge"][post(t, senders["huge"], webhook, strings.Repeat("x", 1_000_000), http.Header{didit.HeaderSignatureV2: {"no digest"}})]++
				body := event()
				got["genuine"][post(t, senders["genuine"], webhook, body, http.Header{didit.HeaderSignature: {didit.Sign(secret, []byte(body))}})]++
				got["no token"][post(t, senders["no token"], starter, strings.Repeat("x", 40_000), nil)]++
			}
			t.Logf("%s: %v", p.program, got)
			assert.Equal(t, map[string]map[int]int{"unsigned": {400: rounds}, "huge": {403: rounds}, "genuine": {200: rounds}, "no token": {401: rounds}}, got)
		})
	}
}

// event is genuine, and about a session that is not ours.
func event() string {
	body, err := json.Marshal(map[string]any{
		"event_id": uuid.NewString(), "webhook_type": didit.EventStatusUpdated, "timestamp": time.Now().Unix(), "created_at": time.Now().Unix(),
		"environment": "live", "session_id": uuid.NewString(), "status": didit.StatusApproved, "vendor_data": "nobody",
	})
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot hold
	}
	return string(body)
}

// replicas starts two processes' worth of a server.
func replicas(t *testing.T, c *kyc.Client, serve func(context.Context, net.Listener, *kyc.Client) error) (addresses []string) {
	t.Helper()
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		harness.Run(t, func(ctx context.Context) error { return serve(ctx, listener, c) })
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

func serveWebhook(ctx context.Context, l net.Listener, c *kyc.Client) error {
	return app.ServeWebhook(ctx, l, c, config.Webhook{
		Secrets: []config.Secret{config.NewSecret(secret)}, Tolerance: time.Minute, Environment: config.Live, MaxBody: 1 << 20,
	}, slog.New(slog.DiscardHandler))
}

func serveAPI(ctx context.Context, l net.Listener, c *kyc.Client) error {
	return app.ServeStarter(ctx, l, c, config.Starter{
		Tokens: []config.Token{{Name: "shop", Value: config.NewSecret("proxied-token-of-no-account")}}, Environment: config.Live,
	}, slog.New(slog.DiscardHandler))
}

// run runs a proxy until the test ends, and waits until it listens.
func run(t *testing.T, dir, listen, program string, args ...string) {
	t.Helper()
	out := new(strings.Builder)
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, out)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, timeout, 20*time.Millisecond, "%s does not listen", program)
}

// post returns the status of the answer; 0 stands for none.
func post(t *testing.T, sender *http.Client, url, body string, header http.Header) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	if header != nil {
		req.Header = header
	}
	res, err := sender.Do(req)
	if err != nil {
		t.Log(err)
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
