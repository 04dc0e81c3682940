package arch_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A guard that has never barked may be asleep. Each case plants one fault in a module made of strings.
func TestPlantedFaultsAreFound(t *testing.T) {
	long := "package x\n\nfunc F() {\n" + strings.Repeat("\t_ = 1\n", 59) + "}\n"
	for name, tc := range map[string]struct{ file, code, want string }{
		"the network in a workflow":    {"workflows/state.go", importing("workflows", "net/http"), `"workflows" may not import "net/http"`},
		"the SDK client in a workflow": {"workflows/state.go", importing("workflows", "go.temporal.io/sdk/client"), `may not import "go.temporal.io/sdk/client"`},
		"an arrow up":                  {"kyc/kyc.go", importing("kyc", module+"/workflows"), `"kyc" may not import "didit-temporal/workflows"`},
		"Temporal in the vendor":       {"didit/client.go", importing("didit", "go.temporal.io/sdk/temporal"), `"didit" may not import`},
		"a prefix that is no folder":   {"webhook/receiver/r.go", importing("receiver", "github.com/gin-gonic/ginx"), "may not import"},
		"the simulator in production":  {"internal/app/app.go", importing("app", module+"/didit/diditsim"), "may not import"},
		"a test library":               {"kyc/fake.go", importing("kyc", "github.com/stretchr/testify/mock"), "may not import"},
		"testing outside a test":       {"kyc/fake.go", importing("kyc", "testing"), `may not import "testing"`},
		"a test server in production":  {"webhook/receiver/r.go", importing("receiver", "net/http/httptest"), "may not import"},
		"dev's module":                 {"internal/app/app.go", importing("app", module+"/dev/stack"), "may not import"},
		"an unknown package":           {"internal/util/util.go", "package util\n", "not in the table"},
		"the root as a package":        {"doc.go", "package root\n", "not in the table"},
		"a function of 61 lines":       {"kyc/long.go", long, "kyc/long.go:F: 61 lines, at most 60"},
		"a method counts too":          {"kyc/long.go", strings.Replace(long, "func F", "type T int; func (T) M", 1), "kyc/long.go:M: 61 lines"},
		"a file of 251 lines":          {"kyc/long.go", "package kyc\n" + strings.Repeat("\n", 250), "kyc/long.go: 251 lines, at most 250"},
		"a long main":                  {"worker/main.go", "package main\n" + strings.Repeat("\n", 25), "worker: 26 lines, at most 25"},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := load(fstest.MapFS{tc.file: {Data: []byte(tc.code)}})
			require.NoError(t, err)
			faults := append(checkImports(files, table), checkSizes(files, nil)...)
			require.Len(t, faults, 1)
			assert.Contains(t, faults[0], tc.want)
		})
	}
}

// What must pass, so that the guard is not one that barks at everything.
func TestHonestCodePasses(t *testing.T) {
	files, err := load(fstest.MapFS{
		"workflows/v.go":          {Data: []byte(importing("workflows", "errors", "time", "go.temporal.io/sdk/workflow", module+"/kyc"))},
		"workflows/v_test.go":     {Data: []byte(importing("workflows", "net/http", "github.com/stretchr/testify/require"))},
		"kyc/client.go":           {Data: []byte(importing("kyc", "go.temporal.io/api/enums/v1", "google.golang.org/grpc"))},
		"didit/diditsim/sim.go":   {Data: []byte(importing("diditsim", "net/http/httptest", module+"/didit"))},
		"didit/testdata/bad.go":   {Data: []byte("not Go at all")},
		"dev/go.mod":              {Data: []byte("module didit-temporal/dev\n")},
		"dev/main.go":             {Data: []byte(importing("main", "go.temporal.io/server/temporal"))},
		"worker/main.go":          {Data: []byte("package main\n\nfunc main() { os.Exit(run(os.Getenv)) }\n")},
		"internal/app/recover.go": {Data: []byte("package app\n\nfunc F(panic func()) { x.panic() }\n")},
	})
	require.NoError(t, err)
	assert.Len(t, files, 5, "tests, testdata and other modules are left out")
	assert.Empty(t, checkImports(files, table))
	assert.Empty(t, checkSizes(files, nil))
}

func TestExceptions(t *testing.T) {
	files, err := load(fstest.MapFS{"kyc/long.go": {Data: []byte("package kyc\n" + strings.Repeat("\n", 300))}})
	require.NoError(t, err)
	assert.Empty(t, checkSizes(files, map[string]string{"kyc/long.go": "a table of statuses"}))
	assert.Equal(t, []string{"kyc/short.go: the exception is not needed any more"},
		checkSizes(files, map[string]string{"kyc/long.go": "a table", "kyc/short.go": "once was long"}))
}

func TestModuleFaults(t *testing.T) {
	good := "module didit-temporal\n\ngo 1.26.0\n\nrequire go.temporal.io/sdk v1.50.0\n"
	assert.Empty(t, checkMod(good))
	for name, bad := range map[string]string{
		"a newer Go":      strings.Replace(good, "1.26.0", "1.27.0", 1),
		"a toolchain":     good + "toolchain go1.26.8\n",
		"a replacement":   good + "replace example.org/a => ../a\n",
		"a block":         good + "replace (\n)\n",
		"a tool":          good + "tool example.org/lint\n",
		"the server":      good + "require go.temporal.io/server v1.32.1 // indirect\n",
		"it in a block":   good + "require (\n\tgo.temporal.io/server v1.32.1\n)\n",
		"the linter":      good + "require github.com/golangci/golangci-lint/v2 v2.15.0\n",
		"the UI's server": good + "require github.com/temporalio/ui-server/v2 v2.55.0\n",
	} {
		assert.Len(t, checkMod(bad), 1, name)
	}
}

func importing(pkg string, paths ...string) string {
	code := "package " + pkg + "\n"
	for _, p := range paths {
		code += "import _ \"" + p + "\"\n"
	}
	return code
}
