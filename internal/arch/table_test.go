package arch_test

const module = "didit-temporal"

// rule says what the production code of one package may import. Test files may import anything.
type rule struct {
	own     []string // packages of this module
	outside []string // other modules; "x/..." stands for x and everything below it
	std     []string // nil: the whole standard library
}

const (
	api         = "go.temporal.io/api/..."
	client      = "go.temporal.io/sdk/client"
	cobra       = "github.com/spf13/cobra"
	envconfig   = "go.temporal.io/sdk/contrib/envconfig"
	gin         = "github.com/gin-gonic/gin/..."
	grpc        = "google.golang.org/grpc/..."
	lru         = "github.com/hashicorp/golang-lru/v2"
	logr        = "github.com/go-logr/logr"
	log         = "go.temporal.io/sdk/log"
	expfmt      = "github.com/prometheus/common/expfmt"
	prometheus  = "github.com/prometheus/client_golang/..."
	otel        = "go.opentelemetry.io/otel/..."
	progressbar = "github.com/schollz/progressbar/v3"
	sdk         = "go.temporal.io/sdk/..."
	stdwebhooks = "github.com/standard-webhooks/standard-webhooks/libraries/go"
	sync        = "golang.org/x/sync/..."
	term        = "golang.org/x/term"
	uuid        = "github.com/google/uuid"
)

// table is the whole architecture: arrows go down only. A package that is not here fails the test, so that
// nothing grows unguarded; a row whose package does not exist yet is a plan.
var table = map[string]rule{
	// The vendor: usable on its own, knows nothing of Temporal.
	"didit":                       {},
	"didit/diditsim":              {own: []string{"didit"}, outside: []string{uuid}},
	"didit/diditsim/cmd/diditsim": {own: []string{"didit", "didit/diditsim"}},

	// The contract: what a signup service imports, so it must stay light.
	// sdk/temporal for the error types that sdk/client returns, sdk/converter for programs that read histories: docs/adr/0004.
	"kyc": {own: []string{"didit", "kyc/codec"}, outside: []string{client, api, grpc, uuid, "go.temporal.io/sdk/converter", "go.temporal.io/sdk/temporal"}},

	// Encryption of payloads: importers of kyc may need it. sdk/workflow for the one interface that
	// shows a converter that it works for a workflow.
	"kyc/codec": {outside: []string{
		client, api, "go.temporal.io/sdk/converter", "go.temporal.io/sdk/temporal", "go.temporal.io/sdk/workflow",
	}},

	// What only operators, erasures and workers need of Temporal: the rest of the client, which a signup service need not see.
	"internal/ops": {own: []string{"didit", "kyc", "kyc/codec"}, outside: []string{
		client, api, uuid, "go.temporal.io/sdk/converter", "go.temporal.io/sdk/temporal",
	}},

	// Activities and workflows. Workflows run again and again over their history: whatever could make a
	// second run differ is kept out by keeping the list this short.
	"activities": {own: []string{"kyc", "didit"}, outside: []string{
		"go.temporal.io/sdk/activity", "go.temporal.io/sdk/interceptor", "go.temporal.io/sdk/temporal", uuid, stdwebhooks,
	}},
	"workflows": {
		own:     []string{"kyc", "didit", "activities"},
		outside: []string{"go.temporal.io/sdk/workflow", "go.temporal.io/sdk/temporal"},
		std:     []string{"errors", "fmt", "slices", "time"},
	},

	// The edges: HTTP in, contract out. They never see a workflow's code.
	"webhook/receiver": {own: []string{"kyc", "didit"}, outside: []string{gin, uuid}},
	// client for the one error type that says whose timeout ended, sync for the read that all requests for a user share.
	"starter/api": {own: []string{"kyc", "didit", "internal/ops"}, outside: []string{gin, uuid, client, sync}},
	// It holds the keys, so it imports nothing else.
	"internal/codecserver": {own: []string{"internal/httpstatus"}, outside: []string{"go.temporal.io/sdk/converter", api}},

	"internal/arch":       {},
	"internal/config":     {own: []string{"kyc/codec"}, outside: []string{uuid}},
	"internal/atomicfile": {},
	"internal/envfile":    {own: []string{"internal/atomicfile"}},
	"internal/httpstatus": {},
	"internal/version":    {},
	"internal/doctor":     {own: []string{"kyc", "didit", "internal/config", "internal/ops"}, outside: []string{client, api, uuid, expfmt, "github.com/prometheus/common/model"}},
	"internal/cli": {
		own:     []string{"kyc", "kyc/codec", "didit", "internal/app", "internal/atomicfile", "internal/config", "internal/doctor", "internal/envfile", "internal/ops", "internal/program", "internal/version"},
		outside: []string{client, cobra, envconfig, progressbar, sync, term, uuid},
	},
	// What operators see. Metrics know all whose numbers they show; only the wiring knows the metrics.
	"internal/metrics": {
		own:     []string{"kyc", "didit", "activities", "workflows", "webhook/receiver", "internal/httpstatus", "internal/ops", "internal/version"},
		outside: []string{client, lru, prometheus},
	},
	"internal/tracing": {own: []string{"internal/config", "internal/httpstatus"}, outside: []string{otel, logr, log, lru, "go.temporal.io/sdk/interceptor", "go.temporal.io/sdk/temporal"}},
	// The wiring: the only package that may know all the others. Not the simulator: that one is for tests and dev.
	"internal/app": {
		own:     []string{"kyc", "didit", "activities", "workflows", "webhook/receiver", "starter/api", "internal/config", "kyc/codec", "internal/codecserver", "internal/metrics", "internal/ops", "internal/tracing"},
		outside: []string{sdk, api, grpc, gin, sync},
	},

	// How the programs start. The starter brings its own commands, so that worker and webhook are built without them.
	"internal/program": {own: []string{"internal/app", "internal/config", "internal/version", "kyc", "kyc/codec"}, outside: []string{client, envconfig, log}},
	"worker":           {own: []string{"internal/program"}},
	"webhook":          {own: []string{"internal/program"}},
	"starter":          {own: []string{"internal/cli", "internal/program"}},
	"cmd/kyc":          {own: []string{"internal/cli", "internal/program"}},
}

// testOnly is standard library that has no business in production code. The simulator is a test server, so
// it may use them.
var testOnly = []string{"testing", "testing/...", "net/http/httptest"}

// Hard limits. Most functions should be under 40 lines; a file that needs 250 does two things.
const (
	maxFunction = 60
	maxFile     = 250
	maxMain     = 25 // all files of a main together: what is longer belongs where it can be tested
)

// mains are the packages that maxMain is about.
var mains = []string{"worker", "webhook", "starter", "cmd/kyc"}

// exceptions lists what may break a size limit: "path/file.go" or "path/file.go:Function", and why. One that
// is no longer needed fails the test.
var exceptions = map[string]string{}
