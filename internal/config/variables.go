package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Required stands in the Default column of a variable that has none.
const Required = "required"

// Variable is one row of the documentation.
type Variable struct {
	Name    string
	Default string // "" if unset is a meaning of its own; Required if it must be set
	Who     string // which processes read it
	Meaning string
	Secret  bool // it may also come from the file that NAME_FILE names, and is never printed
}

// Variables lists every variable that any of our processes reads. It is the single source: the readers take
// their defaults from here, and tests compare it with docs/reference/settings.md, .env.example and what is read.
func Variables() []Variable {
	return []Variable{
		{"TEMPORAL_ADDRESS", "127.0.0.1:7233", forAll, "Temporal's frontend, host:port.", false},
		{"TEMPORAL_NAMESPACE", "default", forAll, "Temporal's namespace: one per Didit application.", false},
		{"TEMPORAL_API_KEY", "", forAll, "Key for Temporal Cloud. Never printed; read by Temporal's SDK, so no `_FILE` form.", false},
		{"TEMPORAL_TLS*", "", forAll, "TLS to Temporal: `TEMPORAL_TLS`, `TEMPORAL_TLS_CLIENT_CERT_PATH`, `TEMPORAL_TLS_CLIENT_KEY_PATH`, `TEMPORAL_TLS_SERVER_CA_CERT_PATH`, `TEMPORAL_TLS_SERVER_NAME`.", false},
		{"DIDIT_API_KEY", Required, forWorker, "Key of one Didit application; its limits are per key.", true},
		{"DIDIT_WORKFLOW_ID", Required, forWorker, "UUID of the Didit workflow that a user goes through unless the input names one.", false},
		{"DIDIT_BASE_URL", "https://verification.didit.me", forWorker + ", " + forSetup, "Where Didit answers. Plain http only to this machine or a private network.", false},
		{"DIDIT_ACCOUNT_URL", "https://apx.didit.me/auth/v2", forSetup, "Where `starter setup didit` opens an account; the simulator's is its address and `/auth/v2`.", false},
		{"DIDIT_ENVIRONMENT", string(Live), forServers, "`live` or `sandbox`: events and decisions of the other environment are ignored.", false},
		{"KYC_DEPLOYMENT", "", forWorker + ", " + forWebhook, "Name of this deployment, where several share a Didit application: it marks the sessions that belong to it. Empty: `TEMPORAL_NAMESPACE`. Worker and webhook need the same.", false},
		{"DIDIT_WRITES_PER_MINUTE", "300", forWorker, "Didit's limit for writes of this key, 5 to 100000; the queue's rate is derived from it.", false},
		{"DIDIT_READS_PER_MINUTE", "600", forWorker, "Didit's limit for reads of this key, 5 to 100000.", false},
		{"DIDIT_QUEUE_PARTITIONS", "4", forWorker, "Partitions of the queues `didit-write` and `didit-read` at the server, 1 to 4; `make dev` and docker-compose.yml set 1 (docs/operations/limits.md).", false},
		{"DIDIT_WEBHOOK_SECRETS", Required, forWebhook, "Comma-separated, each of at least 16 characters; any of them verifies, so that one can be replaced without a gap.", true},
		{"DIDIT_WEBHOOK_TOLERANCE", "360s", forWebhook, "How old a signed event may be, 1s to 1h. Didit says 300 s, but its last retry comes later than that.", false},
		{"WEBHOOK_MAX_BODY", "1MiB", forWebhook, "Largest body read, 1KiB to 16MiB. 1 MiB holds a decision with 300 hits of AML screening (docs/reference/webhook.md).", false},
		{"WEBHOOK_ADDR", ":8080", forWebhook, "Where to listen, host:port.", false},
		{"WEBHOOK_ALLOW_FROM", "", forWebhook, "Addresses and networks that may send, comma-separated; Didit's is 18.203.201.92. Empty: all, since the signature decides.", false},
		{"WEBHOOK_TRUSTED_PROXIES", "", forWebhook, "Proxies whose `X-Forwarded-For` is trusted, for WEBHOOK_ALLOW_FROM.", false},
		{"STARTER_ADDR", ":8081", forStarter, "Where the HTTP API listens, host:port.", false},
		{"STARTER_TOKENS", Required, forStarter, "Tokens of the HTTP API: `name:token`, comma-separated, each token of at least 16 characters, with rights such as `;scopes=read decide` behind it (docs/reference/http-api.md).", true},
		{"SHUTDOWN_DELAY", "0s", forWebhook + ", " + forStarter, "How long `/readyz` answers 503 before the listener closes, 0s to 1m, so that a load balancer notices; docker-compose.yml sets 5s.", false},
		{"RETURN_URL_SCHEMES", "", forStarter, "Schemes of your apps' links that may be a `return_url`, such as `myapp` for `myapp://done`, comma-separated; http and https always may (docs/guides/frontend.md).", false},
		{"SESSION_DEADLINE", "192h", forWorker, "How long a user may take: Didit's seven days and one more.", false},
		{"RECONCILE_AFTER", "15m", forWorker, "First poll of Didit when no webhook arrives, 1s to 24h; the intervals double up to 24 h.", false},
		{"SESSION_CAP", "3", forWorker, "Finished sessions per user in 30 days, 1 to 100; then a user who comes back is refused. It protects the bill.", false},
		{"WORKER_VERSIONING", string(NoVersioning), forWorker, "Temporal's worker versioning: `off`, `auto-upgrade` or `pinned` (docs/operations/upgrades.md).", false},
		{"WORKER_DEPLOYMENT", "kyc", forWorker, "With `WORKER_VERSIONING`: name of the workers' deployment at Temporal.", false},
		{"WORKER_BUILD_ID", "", forWorker, "With `WORKER_VERSIONING`: name of this version of the workers. Empty: what `worker --version` prints.", false},
		{"RESULT_URL", "", forWorker, "Where results are posted; empty for nowhere. Plain http only to this machine or a private network. How to receive them: docs/guides/callbacks.md.", true},
		{"RESULT_SECRETS", "", forWorker, "Standard Webhooks secrets that sign results, `whsec_` and base64, comma-separated: one signature each. Required with `RESULT_URL`.", true},
		{"PAYLOAD_KEYS", "", forKeys, "Keys that encrypt the payloads in Temporal: `id:key`, comma-separated, each key 32 random bytes in base64 (`starter codec-key`). The first encrypts, all decrypt; empty: plain text (docs/guides/encrypt.md).", true},
		{"CODEC_ADDR", "127.0.0.1:8082", forCodec, "Where the codec server listens, host:port.", false},
		{"CODEC_TOKENS", Required, forCodec, "Tokens that may decrypt in the Web UI, comma-separated, each of at least 16 characters; any of them is accepted.", true},
		{"CODEC_ORIGINS", "http://127.0.0.1:8233,http://localhost:8233", forCodec, "Origins of the Web UIs that may call, comma-separated, never `*`.", false},
		{"METRICS_ADDR", "127.0.0.1:9464", forServing + ", " + forCodec, "Where the process serves `/metrics`, `/livez` and `/readyz`: host:port, or `off`. The webhook's default is port 9465, that of `starter serve` 9466, that of the codec server 9467.", false},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "", forServing, "Where traces go, by OTLP, such as http://127.0.0.1:4318. Empty: there are none, unless `OTEL_TRACES_EXPORTER=otlp` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` asks for them.", false},
		{"OTEL_*", "", forServing, "The other variables of OpenTelemetry's specification that concern traces (docs/operations/observe.md); one that this program cannot obey is refused at start.", false},
		{"LOG_LEVEL", "info", forServers, "`debug`, `info`, `warn` or `error`.", false},
		{"LOG_FORMAT", string(JSON), forServers, "`json` or `text`.", false},
	}
}

const (
	forAll     = "all"
	forKeys    = "worker, starter setup, starter serve, starter codec-server" // and the starter's other commands
	forWorker  = "worker"
	forWebhook = "webhook"
	forStarter = "starter serve"
	forServing = "worker, webhook, starter serve"
	forSetup   = "starter setup"
	forCodec   = "starter codec-server"
	forServers = "worker, webhook, starter serve, starter codec-server"
)

// Default is the documented default of a variable, "" for one that has none. A name that is not in the table has none
// either; the test that compares the table with what is read finds it.
func Default(name string) string {
	for _, v := range Variables() {
		if v.Name == name && v.Default != Required {
			return v.Default
		}
	}
	return ""
}

// HelpArguments are the first arguments that ask for help.
var HelpArguments = []string{"-h", "-help", "--help", "help"}

// Usage writes the help of a process that takes its settings from the environment only. Arguments that do not ask for
// help are an error.
func Usage(args []string, w io.Writer, process, purpose string) error {
	if !slices.Contains(HelpArguments, args[0]) {
		return fmt.Errorf("unexpected argument %q: settings come from the environment, %s --help lists them", args[0], process)
	}
	fmt.Fprintf(w, "%s\n\nUsage: %s\n\nEnvironment (a secret may also come from the file that NAME_FILE names):\n\n", purpose, process)
	return WriteSettings(w, process, true)
}

// WriteSettings lists the variables that a process reads, with or without those that all processes share.
func WriteSettings(w io.Writer, process string, shared bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range Variables() {
		if v.Who == forAll && shared || slices.Contains(strings.Split(v.Who, ", "), process) {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", v.Name, v.defaultOf(process), strings.ReplaceAll(v.Meaning, "`", ""))
		}
	}
	return t.Flush()
}

// defaultOf is the default for one process: each has a port of its own for its metrics.
func (v Variable) defaultOf(process string) string {
	if v.Name != "METRICS_ADDR" {
		return v.Default
	}
	return MetricsAddr(map[string]int{forWebhook: metricsOfWebhook, forStarter: metricsOfStarter, forCodec: metricsOfCodec}[process])
}
