package metrics_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/metrics"
)

const root = "../../"

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(b)
}

// sdkMetrics are the names in the source of the SDK that we link.
func sdkMetrics(t *testing.T) []string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "go.temporal.io/sdk").Output()
	require.NoError(t, err)
	file := filepath.Join(strings.TrimSpace(string(dir)), "internal/common/metrics/constants.go")
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			names = append(names, "temporal_"+s)
		}
		return true
	})
	// Those that are made of another one and an ending.
	return append(names, "temporal_request_failure", "temporal_request_latency", "temporal_request_resource_exhausted")
}

var (
	metricName = regexp.MustCompile(`\b(?:kyc|temporal)_[a-z_]+`)
	alertName  = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)
	endings    = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// A board or a rule about a metric that no code counts looks healthy for ever.
func TestBoardRulesAndDocumentsNameMetricsThatExist(t *testing.T) {
	sdk := sdkMetrics(t)
	known := func(name string) bool {
		name = endings.ReplaceAllString(name, "")
		if slices.Contains(metrics.Names(), name) || slices.Contains(sdk, name) {
			return true
		}
		return slices.Contains(sdk, strings.TrimSuffix(name, "_total")) || slices.Contains(sdk, strings.TrimSuffix(name, "_seconds"))
	}
	for _, file := range []string{
		"deploy/grafana/board.json", "deploy/prometheus/rules.yml", "deploy/prometheus/rules_test.yml", "docs/operations/runbook.md", "docs/operations/observe.md", "docs/reference/metrics.md",
	} {
		for _, name := range metricName.FindAllString(read(t, file), -1) {
			assert.True(t, known(name) || name == "temporal_", "%s: no code counts %s", file, name)
		}
	}
	assert.False(t, known("kyc_no_such_metric_total"), "the control")
	assert.False(t, known("temporal_no_such_metric"), "the control")
}

// Each metric of ours is on the board, or it is not worth counting, and documented.
func TestTheBoardShowsAllThatIsCounted(t *testing.T) {
	board, page := read(t, "deploy/grafana/board.json"), read(t, "docs/reference/metrics.md")
	for _, name := range metrics.Names() {
		assert.Contains(t, board, name)
		assert.Contains(t, page, "| `"+name+"` |")
	}
}

func TestEachAlertHasARunbookAndATest(t *testing.T) {
	rules, runbook, tests := read(t, "deploy/prometheus/rules.yml"), read(t, "docs/operations/runbook.md"), read(t, "deploy/prometheus/rules_test.yml")
	found := alertName.FindAllStringSubmatch(rules, -1)
	require.NotEmpty(t, found)
	for _, m := range found {
		name := m[1]
		_, chapter, there := strings.Cut(runbook, "\n### "+name+"\n")
		assert.True(t, there, "docs/operations/runbook.md has no chapter %s", name)
		chapter, _, _ = strings.Cut(chapter, "\n### ")
		for _, part := range []string{"**Looks like:**", "**Why:**", "**Run:**", "**Over when:**"} {
			assert.Contains(t, chapter, part, name)
		}
		assert.Contains(t, rules, "runbook_url: docs/operations/runbook.md#"+strings.ToLower(name)+"\n")
		assert.Contains(t, tests, "name: '"+name+": ", "no test says when it begins and ends")
	}
	for _, chapter := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(runbook, -1) {
		assert.Contains(t, rules, "- alert: "+chapter[1]+"\n", "a chapter about an alert that there is not")
	}
}
