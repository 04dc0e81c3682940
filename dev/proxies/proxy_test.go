package proxies

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/certs"
	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
)

// proxy is one of the programs that deploy/proxies has a configuration for.
type proxy struct {
	name    string
	config  string                                        // its file in deploy/proxies
	version []string                                      // the command that prints its version
	command func(t *testing.T, dir, config string) string // writes what the program needs beside config, returns its command
}

var proxies = []proxy{
	{"nginx", "nginx.conf", []string{"nginx", "-v"}, startNginx},
	{"haproxy", "haproxy.cfg", []string{"haproxy", "-v"}, startHaproxy},
	{"caddy", "Caddyfile", []string{"caddy", "version"}, startCaddy},
}

// run is a running proxy.
type run struct {
	address string
	pool    *x509.CertPool
	log     string // the file of what it said
}

// start runs the proxy on its configuration, with addresses and certificate of this test in it.
func (p proxy) start(t *testing.T, e *env) *run {
	t.Helper()
	skip.Program(t, p.name, p.name)
	dir := t.TempDir()
	address := harness.Address(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	r := &run{address: address, pool: certificate(t, dir), log: filepath.Join(dir, "log")}
	config := filepath.Join(dir, p.config)
	require.NoError(t, os.WriteFile(config, []byte(e.fill(t, p.config, dir, port)), 0o600))
	command := strings.Fields(p.command(t, dir, config))
	cmd := exec.Command(command[0], command[1:]...)
	log, err := os.Create(r.log)
	require.NoError(t, err)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, log, log, append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	require.NoError(t, procs.Start(cmd))
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
		if text, _ := os.ReadFile(r.log); t.Failed() {
			t.Logf("%s said:\n%s", p.name, text[max(0, len(text)-4000):])
		}
	})
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", r.address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, timeout, 50*time.Millisecond, "%s listens", p.name)
	return r
}

// fill puts the addresses of this test where the file has an example.
func (e *env) fill(t *testing.T, file, dir, port string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "proxies", file))
	require.NoError(t, err)
	out := string(text)
	for example, real := range map[string]string{
		"10.0.0.11:8080": e.webhooks[0].address, "10.0.0.12:8080": e.webhooks[1].address,
		"10.0.0.11:8081": e.apis[0].address, "10.0.0.12:8081": e.apis[1].address,
		"10.0.0.11:8082": e.codec.address, "/etc/ssl/kyc": dir,
	} {
		require.Contains(t, out, example, "%s has no example to replace", file)
		out = strings.ReplaceAll(out, example, real)
	}
	return regexp.MustCompile(`(listen |bind |example.com|\n)(:?)443`).ReplaceAllString(out, "${1}${2}"+port)
}

func startNginx(t *testing.T, dir, config string) string {
	t.Helper()
	main := "user root;\nworker_processes 2;\ndaemon off;\npid nginx.pid;\nerror_log stderr warn;\nevents {}\nhttp {\n  access_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		main += "  " + kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
	}
	file := filepath.Join(dir, "main.conf")
	require.NoError(t, os.WriteFile(file, []byte(main+"  include "+config+";\n}\n"), 0o600))
	return "nginx -e stderr -p " + dir + " -c " + file
}

func startHaproxy(t *testing.T, dir, config string) string {
	t.Helper()
	pair := new(bytes.Buffer)
	for _, name := range []string{"fullchain.pem", "key.pem"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		pair.Write(text)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "haproxy.pem"), pair.Bytes(), 0o600))
	return "haproxy -db -f " + config
}

func startCaddy(t *testing.T, _, config string) string {
	t.Helper()
	if oldCaddy(t) {
		text, err := os.ReadFile(config)
		require.NoError(t, err)
		old := regexp.MustCompile(`(?s)\tlb_retry_match \{.*?\}\n\trequest_buffers 2MB\n`).ReplaceAllString(string(text), "")
		require.NotEqual(t, string(text), old)
		require.NoError(t, os.WriteFile(config, []byte(old), 0o600))
	}
	return "caddy run --adapter caddyfile --config " + config
}

// oldCaddy is true of Debian 12's 2.6.2, which repeats a POST with an empty body: our answer is 403, for good.
func oldCaddy(t *testing.T) bool {
	t.Helper()
	version, err := exec.Command("caddy", "version").Output()
	require.NoError(t, err)
	return regexp.MustCompile(`^v?2\.[0-6]\.`).Match(version)
}

// certificate writes a certificate of all hosts, and returns what trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	ca := certs.New(t)
	ca.IssueTo(filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "key.pem"), hooksHost, hooksHost, internalHost, strangeHost)
	return ca.Pool()
}

// trust is how a client speaks TLS to the proxy.
func (r *run) trust() *tls.Config { return &tls.Config{RootCAs: r.pool, MinVersion: tls.VersionTLS12} }
