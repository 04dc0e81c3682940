package config_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

const (
	apiKey     = "k-0123456789abcdef"
	workflowID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	whSecret   = "wh-0123456789abcdef"
)

// from returns a Getenv over the least that both processes need, with changes.
func from(changes map[string]string) config.Getenv {
	vars := map[string]string{
		"DIDIT_API_KEY": apiKey, "DIDIT_WORKFLOW_ID": workflowID, "DIDIT_WEBHOOK_SECRETS": whSecret,
	}
	for k, v := range changes {
		vars[k] = v
	}
	return func(name string) string { return vars[name] }
}

func TestDefaults(t *testing.T) {
	w, err := config.ForWorker(from(nil))
	require.NoError(t, err)
	assert.Equal(t, config.Worker{
		DiditAPIKey: config.NewSecret(apiKey), DiditWorkflowID: workflowID,
		DiditBaseURL: "https://verification.didit.me", Environment: config.Live,
		WritesPerMinute: 300, ReadsPerMinute: 600, QueuePartitions: 4, SessionDeadline: 192 * time.Hour, ReconcileAfter: 15 * time.Minute, SessionCap: 3,
		Versioning: config.Versioning{Behavior: config.NoVersioning, Deployment: "kyc"},
		Telemetry:  config.Telemetry{MetricsAddr: "127.0.0.1:9464", LogLevel: slog.LevelInfo, LogFormat: config.JSON},
	}, w)

	h, err := config.ForWebhook(from(nil))
	require.NoError(t, err)
	assert.Equal(t, config.Webhook{
		Secrets: []config.Secret{config.NewSecret(whSecret)}, Tolerance: 6 * time.Minute, Environment: config.Live,
		MaxBody: 1 << 20, Addr: ":8080", Telemetry: config.Telemetry{MetricsAddr: "127.0.0.1:9465", LogLevel: slog.LevelInfo, LogFormat: config.JSON},
	}, h)
}

func TestEverythingCanBeSet(t *testing.T) {
	w, err := config.ForWorker(from(map[string]string{
		"DIDIT_BASE_URL": "http://127.0.0.1:8090/didit/", "DIDIT_ENVIRONMENT": "Sandbox",
		"DIDIT_WRITES_PER_MINUTE": "5", "DIDIT_READS_PER_MINUTE": "100000", "DIDIT_QUEUE_PARTITIONS": "1", "SESSION_DEADLINE": " 36h ", "RECONCILE_AFTER": "90s", "SESSION_CAP": "10",
		"WORKER_VERSIONING": "Pinned", "WORKER_DEPLOYMENT": "workers-eu", "WORKER_BUILD_ID": "v1.2.3+hotfix",
		"METRICS_ADDR": ":9000", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
		"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text",
	}))
	require.NoError(t, err)
	assert.Equal(t, config.Worker{
		DiditAPIKey: config.NewSecret(apiKey), DiditWorkflowID: workflowID,
		DiditBaseURL: "http://127.0.0.1:8090/didit", Environment: config.Sandbox,
		WritesPerMinute: 5, ReadsPerMinute: 100_000, QueuePartitions: 1, SessionDeadline: 36 * time.Hour, ReconcileAfter: 90 * time.Second, SessionCap: 10,
		Versioning: config.Versioning{Behavior: config.Pinned, Deployment: "workers-eu", BuildID: "v1.2.3+hotfix"},
		Telemetry:  config.Telemetry{MetricsAddr: ":9000", Tracing: true, Traces: config.Traces{Protocol: config.HTTPProtobuf, URL: "http://127.0.0.1:4318/v1/traces"}, LogLevel: slog.LevelDebug, LogFormat: config.Text},
	}, w)

	h, err := config.ForWebhook(from(map[string]string{
		"DIDIT_WEBHOOK_SECRETS": whSecret + " , another-0123456789", "DIDIT_WEBHOOK_TOLERANCE": "1h",
		"WEBHOOK_MAX_BODY": "512 KiB", "WEBHOOK_ADDR": "127.0.0.1:0", "LOG_LEVEL": "warn",
	}))
	require.NoError(t, err)
	require.Len(t, h.Secrets, 2)
	assert.Equal(t, whSecret, h.Secrets[0].Reveal())
	assert.Equal(t, "another-0123456789", h.Secrets[1].Reveal())
	assert.Equal(t, int64(512<<10), h.MaxBody)
	assert.Equal(t, "127.0.0.1:0", h.Addr)
	assert.Equal(t, slog.LevelWarn, h.Telemetry.LogLevel)
}

// One start reports every mistake.
func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	nothing := func(string) string { return "" }
	_, err := config.ForWorker(nothing)
	assert.Equal(t, []string{
		"DIDIT_API_KEY is not set (Didit console > API & webhooks; or DIDIT_API_KEY_FILE, the path of a file that holds it)",
		"DIDIT_WORKFLOW_ID is not set (Didit console > Workflows)",
	}, strings.Split(err.Error(), "\n"))

	_, err = config.ForWebhook(nothing)
	assert.Equal(t, []string{
		"DIDIT_WEBHOOK_SECRETS is not set (Didit console > API & webhooks; several are separated by commas; " +
			"or DIDIT_WEBHOOK_SECRETS_FILE, the path of a file that holds it)",
	}, strings.Split(err.Error(), "\n"))

	_, err = config.ForWorker(from(map[string]string{
		"DIDIT_API_KEY": "changeme", "DIDIT_WORKFLOW_ID": "kyc", "DIDIT_BASE_URL": "verification.didit.me",
		"DIDIT_ENVIRONMENT": "prod", "DIDIT_WRITES_PER_MINUTE": "fast", "DIDIT_READS_PER_MINUTE": "4",
		"SESSION_DEADLINE": "8 days", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml",
	}))
	assert.Equal(t, []string{
		`DIDIT_API_KEY is a placeholder (it contains "changeme"): want the real value (Didit console > API & webhooks)`,
		`DIDIT_WORKFLOW_ID is not a UUID: want one such as 11111111-2222-4333-8444-555555555555 (Didit console > Workflows)`,
		`DIDIT_BASE_URL is not an absolute URL: want https://host, such as https://verification.didit.me`,
		`DIDIT_ENVIRONMENT="prod": want one of live, sandbox`,
		`DIDIT_WRITES_PER_MINUTE="fast": want a whole number from 5 to 100000`,
		`DIDIT_READS_PER_MINUTE="4": want a whole number from 5 to 100000`,
		`SESSION_DEADLINE="8 days": want a duration from 1s to 8784h0m0s, such as 90s, 15m or 24h`,
		`LOG_LEVEL="loud": want one of debug, info, warn, error`,
		`LOG_FORMAT="xml": want one of json, text`,
	}, strings.Split(err.Error(), "\n"))
}

// both reads both structs, so that a table needs not say which process a variable belongs to.
func both(changes map[string]string) error {
	_, errWorker := config.ForWorker(from(changes))
	_, errWebhook := config.ForWebhook(from(changes))
	return errors.Join(errWorker, errWebhook)
}

func TestValues(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, wrong string }{
		"a workflow id with braces":               {"DIDIT_WORKFLOW_ID", "{" + workflowID + "}", "is not a UUID"},
		"a workflow id without dashes":            {"DIDIT_WORKFLOW_ID", strings.ReplaceAll(workflowID, "-", ""), "is not a UUID"},
		"the standard address of Didit":           {"DIDIT_BASE_URL", "https://verification.didit.me/", ""},
		"http to the internet":                    {"DIDIT_BASE_URL", "http://verification.didit.me", "want https"},
		"http to a public address":                {"DIDIT_BASE_URL", "http://8.8.8.8", "want https"},
		"http to a compose service":               {"DIDIT_BASE_URL", "http://didit-proxy:8090", ""},
		"http to a private address":               {"DIDIT_BASE_URL", "http://10.1.2.3:8090", ""},
		"http to this machine, IPv6":              {"DIDIT_BASE_URL", "http://[::1]:8080", ""},
		"the simulator of compose, in live":       {"DIDIT_BASE_URL", "http://simulator:8090", "this is the simulator's, which needs DIDIT_ENVIRONMENT=sandbox"},
		"the simulator on this machine, in live":  {"DIDIT_BASE_URL", "http://127.0.0.1:8090", "this is the simulator's"},
		"the simulator by name, in live":          {"DIDIT_BASE_URL", "http://localhost:18090", "this is the simulator's"},
		"a path in live":                          {"DIDIT_BASE_URL", "https://verification.didit.me/v3", "without a path"},
		"another scheme":                          {"DIDIT_BASE_URL", "ftp://verification.didit.me", "not an absolute URL"},
		"a URL that does not parse":               {"DIDIT_BASE_URL", "https://ver ification", "not an absolute URL"},
		"a user in the URL":                       {"DIDIT_BASE_URL", "https://me:hunter2@didit.me", "has a user"},
		"a query in the URL":                      {"DIDIT_BASE_URL", "https://didit.me?key=hunter2", "a query"},
		"a rate that leaves nothing":              {"DIDIT_WRITES_PER_MINUTE", "4", "from 5 to 100000"},
		"a rate with a fraction":                  {"DIDIT_WRITES_PER_MINUTE", "4.8", "a whole number"},
		"no partition":                            {"DIDIT_QUEUE_PARTITIONS", "0", "from 1 to 4"},
		"more partitions than the rate is for":    {"DIDIT_QUEUE_PARTITIONS", "5", "from 1 to 4"},
		"a rate of nothing":                       {"DIDIT_READS_PER_MINUTE", "0", "from 5 to 100000"},
		"a rate below nothing":                    {"DIDIT_READS_PER_MINUTE", "-300", "from 5 to 100000"},
		"a rate beyond reason":                    {"DIDIT_READS_PER_MINUTE", "100001", "from 5 to 100000"},
		"no deadline":                             {"SESSION_DEADLINE", "0s", "a duration from 1s"},
		"a deadline before the start":             {"SESSION_DEADLINE", "-1h", "a duration from 1s"},
		"a tolerance without a unit":              {"DIDIT_WEBHOOK_TOLERANCE", "360", "such as 90s"},
		"the smallest tolerance":                  {"DIDIT_WEBHOOK_TOLERANCE", "1s", ""},
		"no tolerance":                            {"DIDIT_WEBHOOK_TOLERANCE", "0s", "from 1s to 1h0m0s"},
		"a tolerance that allows replay for ever": {"DIDIT_WEBHOOK_TOLERANCE", "1h1s", "from 1s to 1h0m0s"},
		"a body in bytes":                         {"WEBHOOK_MAX_BODY", "65536", ""},
		"the largest body":                        {"WEBHOOK_MAX_BODY", "16MiB", ""},
		"a body over the largest":                 {"WEBHOOK_MAX_BODY", "17MiB", "from 1024 to 16777216 bytes"},
		"a body under the smallest":               {"WEBHOOK_MAX_BODY", "1023", "from 1024 to 16777216 bytes"},
		"a body that would overflow":              {"WEBHOOK_MAX_BODY", "9223372036854775807MiB", "from 1024"},
		"a negative body":                         {"WEBHOOK_MAX_BODY", "-1MiB", "from 1024"},
		"a body in another unit":                  {"WEBHOOK_MAX_BODY", "1MB", "such as 65536, 512KiB or 1MiB"},
		"an address with a host":                  {"WEBHOOK_ADDR", "[::1]:8080", ""},
		"an address without a port":               {"WEBHOOK_ADDR", "localhost", "host:port"},
		"a port alone":                            {"WEBHOOK_ADDR", "8080", "host:port"},
		"a port out of range":                     {"WEBHOOK_ADDR", ":65536", "host:port"},
		"a URL as an address":                     {"WEBHOOK_ADDR", "http://localhost:8080", "host:port"},
		"senders":                                 {"WEBHOOK_ALLOW_FROM", "18.203.201.92, 10.0.0.0/8,2001:db8::/32", ""},
		"a sender by name":                        {"WEBHOOK_ALLOW_FROM", "verification.didit.me", "such as 18.203.201.92 or 10.0.0.0/8"},
		"a network that is none":                  {"WEBHOOK_ALLOW_FROM", "10.0.0.0/33", "such as 18.203.201.92 or 10.0.0.0/8"},
		"an empty list":                           {"WEBHOOK_ALLOW_FROM", " , ", "such as 18.203.201.92 or 10.0.0.0/8"},
		"a network of IPv4 written as IPv6":       {"WEBHOOK_ALLOW_FROM", "::ffff:10.0.0.0/104", "such as 18.203.201.92 or 10.0.0.0/8"},
		"a sender in a zone":                      {"WEBHOOK_ALLOW_FROM", "fe80::1%eth0", "such as 18.203.201.92 or 10.0.0.0/8"},
		"a proxy without a list of senders":       {"WEBHOOK_TRUSTED_PROXIES", "10.0.0.1", "set both or none"},
		"a level with capitals":                   {"LOG_LEVEL", "Error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := both(map[string]string{tc.variable: tc.value})
			if tc.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.wrong)
			for line := range strings.Lines(err.Error()) {
				assert.True(t, strings.HasPrefix(line, tc.variable), "the line does not begin with the variable: %s", line)
			}
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestSecrets(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, wrong string }{
		"a pasted line break":            {"DIDIT_API_KEY", "hunter2\nhunter2", "contains white space"},
		"a placeholder key":              {"DIDIT_API_KEY", "Your-Hunter2-Key", `a placeholder (it contains "your-")`},
		"a row of the same character":    {"DIDIT_API_KEY", "xxxxxxxxxxxxxxxx", "one character, repeated"},
		"a short secret":                 {"DIDIT_WEBHOOK_SECRETS", "hunter2", "an entry of 7 characters at place 1"},
		"the second secret is short":     {"DIDIT_WEBHOOK_SECRETS", whSecret + ",hunter2", "at place 2"},
		"an extra comma":                 {"DIDIT_WEBHOOK_SECRETS", whSecret + ",", "empty entry at place 2"},
		"secrets separated by spaces":    {"DIDIT_WEBHOOK_SECRETS", whSecret + " hunter2-hunter2", "separate secrets by commas"},
		"a placeholder secret":           {"DIDIT_WEBHOOK_SECRETS", "hunter2-CHANGEME", "a placeholder at place 1"},
		"the simulator's key in live":    {"DIDIT_API_KEY", "simulator-api-key-hunter2", "the simulator's public key"},
		"the simulator's secret in live": {"DIDIT_WEBHOOK_SECRETS", "simulator-hunter2-hunter2", "the simulator's public secret"},
	} {
		t.Run(name, func(t *testing.T) {
			err := both(map[string]string{tc.variable: tc.value})
			require.ErrorContains(t, err, tc.wrong)
			assert.NotContains(t, strings.ToLower(err.Error()), "hunter2", "a secret was printed")
			assert.NotContains(t, err.Error(), whSecret, "a secret was printed")
		})
	}
	require.NoError(t, both(map[string]string{
		"DIDIT_WEBHOOK_SECRETS": "simulator-hunter2-hunter2", "DIDIT_ENVIRONMENT": "sandbox", "DIDIT_API_KEY": "simulator-api-key",
		"DIDIT_BASE_URL": "http://simulator:8090/didit",
	}), "what is the simulator's is fine where nothing is real")
}

func TestSecretFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	unset := map[string]string{"DIDIT_API_KEY": "", "DIDIT_API_KEY_FILE": path}

	write("from-a-file-01234\n")
	w, err := config.ForWorker(from(unset))
	require.NoError(t, err)
	assert.Equal(t, "from-a-file-01234", w.DiditAPIKey.Reveal(), "the line break at the end is no part of the key")

	_, err = config.ForWorker(from(map[string]string{"DIDIT_API_KEY_FILE": path}))
	require.EqualError(t, err, "DIDIT_API_KEY and DIDIT_API_KEY_FILE are both set: set one of them")

	write("\n")
	_, err = config.ForWorker(from(unset))
	require.ErrorContains(t, err, "DIDIT_API_KEY cannot be read from the file that DIDIT_API_KEY_FILE names: it is empty")

	_, err = config.ForWorker(from(map[string]string{"DIDIT_API_KEY": "", "DIDIT_API_KEY_FILE": apiKey}))
	require.ErrorContains(t, err, "DIDIT_API_KEY cannot be read from the file that DIDIT_API_KEY_FILE names: no such file")
	assert.NotContains(t, err.Error(), apiKey, "the secret itself was taken for a path and printed")

	write(whSecret + ",another-0123456789\n")
	h, err := config.ForWebhook(from(map[string]string{"DIDIT_WEBHOOK_SECRETS": "", "DIDIT_WEBHOOK_SECRETS_FILE": path}))
	require.NoError(t, err)
	assert.Len(t, h.Secrets, 2)
}

// A list that silently accepts no sender, or all, is noticed by the first lost webhook or never.
func TestASenderMayBeWrittenAsIPv6(t *testing.T) {
	h, err := config.ForWebhook(from(map[string]string{"WEBHOOK_ALLOW_FROM": "::ffff:18.203.201.92"}))
	require.NoError(t, err)
	assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("18.203.201.92/32")}, h.AllowFrom)
}
