package kube

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
	"didit-temporal/dev/skip"
)

// cluster is a real API server of Kubernetes with its etcd: it checks and stores what it gets, and nothing acts on it.
type cluster struct {
	t      *testing.T
	dir    string
	url    string
	client *http.Client
}

const token = "token-of-the-administrator"

// startCluster runs both, as envtest does, and installs the custom resources that the chart can make.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	etcd, server := built(t, "etcd"), built(t, "kube-apiserver")
	c := &cluster{t: t, dir: t.TempDir()}
	store, address := "http://"+harness.Address(t), harness.Address(t)
	c.url = "https://" + address
	c.run(etcd, "--data-dir="+filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync", "--listen-client-urls="+store,
		"--advertise-client-urls="+store, "--listen-peer-urls=http://127.0.0.1:0", "--log-level=error")
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	c.write("tokens.csv", []byte(token+",admin,admin,system:masters"))
	c.write("service-accounts.key", signingKey(t))
	c.run(server, "--etcd-servers="+store, "--cert-dir="+c.dir, "--bind-address=127.0.0.1", "--secure-port="+port,
		"--token-auth-file="+c.file("tokens.csv"), "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer="+c.url, "--service-account-key-file="+c.file("service-accounts.key"),
		"--service-account-signing-key-file="+c.file("service-accounts.key"),
		"--disable-admission-plugins=ServiceAccount") // no controller makes the accounts
	c.trust()
	c.eventually("/readyz", func(code int, _ []byte) bool { return code == http.StatusOK })
	c.installDefinitions()
	return c
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) write(name string, content []byte) {
	c.t.Helper()
	require.NoError(c.t, os.WriteFile(c.file(name), content, 0o600))
}

func signingKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// run runs a program until the end of the test.
func (c *cluster) run(program string, args ...string) {
	c.t.Helper()
	said := c.file(filepath.Base(program) + ".log")
	out, err := os.Create(said)
	require.NoError(c.t, err)
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(c.t, procs.Start(cmd))
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = out.Close()
		if text, _ := os.ReadFile(said); c.t.Failed() {
			c.t.Logf("%s said last:\n%s", program, text[max(0, len(text)-4000):])
		}
	})
}

// trust waits for the certificate that the server makes itself, and makes the client.
func (c *cluster) trust() {
	c.t.Helper()
	pool := x509.NewCertPool()
	require.Eventually(c.t, func() bool {
		text, err := os.ReadFile(c.file("apiserver.crt"))
		return err == nil && pool.AppendCertsFromPEM(text)
	}, timeout, 50*time.Millisecond, "the API server makes no certificate")
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}

func (c *cluster) eventually(path string, condition func(code int, body []byte) bool) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		code, body, err := c.call(c.t.Context(), http.MethodGet, path, nil)
		return err == nil && condition(code, body)
	}, timeout, 100*time.Millisecond, path)
}

func (c *cluster) call(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/apply-patch+yaml"}}
	res, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, text, err
}

// refusal is what the server said against an object; empty if it took it.
type refusal struct {
	Code    int
	Message string
}

// apply applies an object at the server, as `kubectl apply --server-side --validate=strict`. query may add dryRun=All.
func (c *cluster) apply(o object, namespace, query string) (r refusal) {
	c.t.Helper()
	path := o.path(namespace) + "/" + o.Metadata.Name + "?fieldManager=test&force=true&fieldValidation=Strict&" + query
	code, body, err := c.call(c.t.Context(), http.MethodPatch, path, o.json)
	require.NoError(c.t, err)
	if code < 300 {
		return refusal{}
	}
	require.NoError(c.t, json.Unmarshal(body, &r), "%d %s", code, body)
	r.Code = code
	return r
}

// path is where objects of this kind are.
func (o object) path(namespace string) string {
	root, plural := "/apis/"+o.APIVersion, strings.ToLower(o.Kind)+"s"
	if o.APIVersion == "v1" {
		root = "/api/v1"
	}
	if stem, ok := strings.CutSuffix(plural, "ys"); ok {
		plural = stem + "ies"
	}
	if namespace == "" {
		return root + "/" + plural
	}
	return root + "/namespaces/" + namespace + "/" + plural
}

// namespace makes one in which only pods are admitted that keep to Pod Security's strictest level.
func (c *cluster) namespace(name string) string {
	c.t.Helper()
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q,"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`, name)
	require.Empty(c.t, c.apply(objects(c.t, text)[0], "", ""))
	return name
}

// definitions are the files of the custom resources, in the modules that publish them.
var definitions = map[string][]string{
	"github.com/prometheus-operator/prometheus-operator": {
		"example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
		"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
	},
	"github.com/kedacore/keda/v2": {"config/crd/bases/keda.sh_scaledobjects.yaml", "config/crd/bases/keda.sh_triggerauthentications.yaml"},
}

func (c *cluster) installDefinitions() {
	c.t.Helper()
	for module, files := range definitions {
		dir := moduleDir(c.t, module)
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(c.t, err)
			for _, o := range objects(c.t, strings.TrimPrefix(string(text), "---\n")) {
				require.Empty(c.t, c.apply(o, "", ""))
				c.eventually(o.path("")+"/"+o.Metadata.Name, func(_ int, body []byte) bool {
					return bytes.Contains(body, []byte(`"type":"Established"`)) && !bytes.Contains(body, []byte(`"status":"False"`))
				})
			}
		}
	}
}

// moduleDir downloads a module of dev/tools/crds.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	cmd.Dir = filepath.Join("..", "tools", "crds")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	var got struct{ Dir, Error string }
	require.NoError(t, json.Unmarshal(out, &got), "%v", err)
	if got.Error != "" {
		skip.Missing(t, "download "+module+": "+got.Error)
	}
	return got.Dir
}
