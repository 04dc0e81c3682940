package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type datasource struct{ Type, UID string }

// panel is what is checked of a panel.
type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource datasource
	GridPos    grid
	Panels     []any // of a row that is folded up
	Targets    []struct {
		Expr, RefID, LegendFormat string
		Datasource                datasource
	}
	FieldConfig struct{ Defaults struct{ Unit string } }
}

type grid struct{ H, W, X, Y int }

func (g grid) overlaps(o grid) bool {
	return g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H
}

type board struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Query string }
	}
	Annotations struct {
		List []struct{ Datasource datasource }
	}
	Panels []panel
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(read(t, "deploy/grafana/board.json")), &b))
	require.NotEmpty(t, b.Panels)
	return b
}

// Grafana is not there to ask, so these are its rules: a panel that breaks one is drawn over another, or not at all.
func TestTheBoardIsOneThatGrafanaReads(t *testing.T) {
	b := readBoard(t)
	require.NotEmpty(t, b.UID)
	require.NotEmpty(t, b.Title)
	require.GreaterOrEqual(t, b.SchemaVersion, 36, "older ones name their datasource otherwise")
	require.Len(t, b.Templating.List, 1)
	variable := b.Templating.List[0]
	require.Equal(t, "datasource", variable.Type)
	require.Equal(t, "prometheus", variable.Query)
	chosen := datasource{"prometheus", "${" + variable.Name + "}"}

	for _, a := range b.Annotations.List {
		assert.Equal(t, chosen, a.Datasource)
	}
	ids := map[int]string{}
	for i, p := range b.Panels {
		assert.Positive(t, p.ID, p.Title)
		assert.Empty(t, ids[p.ID], "%s has the id of another panel", p.Title)
		ids[p.ID] = p.Title
		assert.NotEmpty(t, p.Title)
		assert.True(t, p.GridPos.W > 0 && p.GridPos.H > 0 && p.GridPos.X >= 0 && p.GridPos.X+p.GridPos.W <= 24, "%s is beside the grid", p.Title)
		for _, o := range b.Panels[:i] {
			assert.False(t, p.GridPos.overlaps(o.GridPos), "%s lies over %s", p.Title, o.Title)
		}
		if p.Type == "row" {
			assert.Empty(t, p.Panels, "a folded row hides its panels from the other tests")
			continue
		}
		assert.Contains(t, []string{"stat", "timeseries"}, p.Type, p.Title)
		assert.Contains(t, []string{"none", "s", "bytes", "percentunit", "reqps"}, p.FieldConfig.Defaults.Unit, p.Title)
		assert.Equal(t, chosen, p.Datasource, p.Title)
		checkTargets(t, p, chosen)
	}
}

var (
	legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)
	keptLabels  = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

func checkTargets(t *testing.T, p panel, chosen datasource) {
	t.Helper()
	assert.NotEmpty(t, p.Targets, p.Title)
	refs := map[string]bool{}
	for _, x := range p.Targets {
		assert.False(t, refs[x.RefID] || x.RefID == "", "%s: two queries are called %q", p.Title, x.RefID)
		refs[x.RefID] = true
		assert.Equal(t, chosen, x.Datasource, p.Title)
		kept := keptLabels.FindStringSubmatch(x.Expr)
		for _, m := range legendLabel.FindAllStringSubmatch(x.LegendFormat, -1) {
			if kept == nil { // no aggregation: these are on all
				assert.Contains(t, []string{"job", "instance"}, m[1], p.Title)
				continue
			}
			assert.True(t, slices.Contains(strings.Split(kept[1], ", "), m[1]), "%s: %s has no label %s", p.Title, x.Expr, m[1])
		}
	}
}

// make alerts goes further: there each query shows something.
func TestPrometheusUnderstandsTheBoard(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is missing (apt-get install prometheus)")
	}
	check := func(exprs ...string) ([]byte, error) {
		rules := "groups:\n- name: board\n  rules:\n"
		for i, x := range exprs {
			quoted, err := json.Marshal(x) // JSON is YAML
			require.NoError(t, err)
			rules += fmt.Sprintf("  - { record: panel_%d, expr: %s }\n", i, quoted)
		}
		file := filepath.Join(t.TempDir(), "rules.yml")
		require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
		return exec.CommandContext(t.Context(), "promtool", "check", "rules", file).CombinedOutput()
	}
	var exprs []string
	for _, p := range readBoard(t).Panels {
		for _, x := range p.Targets {
			exprs = append(exprs, x.Expr)
		}
	}
	require.NotEmpty(t, exprs)
	out, err := check(exprs...)
	require.NoError(t, err, string(out))
	_, err = check("sum by (code (rate(x[5m])))")
	require.Error(t, err, "the control")
}
