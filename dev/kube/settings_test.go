package kube

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

// readers are the processes as the table of settings names them.
var readers = map[string]string{
	"worker": "worker", "webhook": "webhook", "api": "starter serve", "codec": "starter codec-server", "setup": "starter setup",
}

// reads reports whether a process reads the variable.
func reads(process string, v config.Variable) bool {
	return v.Who == "all" || slices.Contains(strings.Split(v.Who, ", "), readers[process])
}

// A secret that a process does not read must not lie in its files, and one that it reads must not be missing.
func TestEachProcessGetsTheSecretsThatItReads(t *testing.T) {
	all := workloads(t, "self-hosted") // which sets every secret
	for process := range readers {
		var want, got, mounted []string
		for _, v := range config.Variables() {
			if v.Secret && reads(process, v) {
				want = append(want, v.Name)
			}
		}
		pod := all[process].Spec.Template.Spec
		for _, name := range pod.Containers[0].variables() {
			if variable, ok := strings.CutSuffix(name, "_FILE"); ok {
				got = append(got, variable)
			}
		}
		for _, volume := range pod.Volumes {
			for _, source := range volume.Projected.Sources {
				for _, item := range source.Secret.Items {
					mounted = append(mounted, item.Path)
				}
			}
		}
		assert.ElementsMatch(t, want, got, process)
		assert.ElementsMatch(t, want, mounted, process)
	}
}

// byChart are the settings that the chart itself decides.
func byChart(name string) bool {
	return strings.HasPrefix(name, "TEMPORAL_") || strings.HasSuffix(name, "_ADDR") || name == "SHUTDOWN_DELAY"
}

// A setting that the schema does not know cannot be set, and one that no process reads is a mistake of the operator's.
func TestTheSchemaKnowsEverySetting(t *testing.T) {
	type settings struct{ Properties, PatternProperties map[string]any }
	var schema struct {
		Properties struct {
			Settings  settings
			Secrets   settings
			Processes struct {
				Properties map[string]struct{ Properties struct{ Settings settings } }
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &schema))
	want, got := map[string][]string{}, map[string][]string{}
	for _, v := range config.Variables() {
		if byChart(v.Name) || strings.HasPrefix(v.Name, "OTEL_") {
			continue
		}
		if at := placeOf(v); at != "" {
			want[at] = append(want[at], v.Name)
		}
	}
	names := func(at string, s settings) {
		for name := range s.Properties {
			got[at] = append(got[at], name)
		}
		slices.Sort(got[at])
		slices.Sort(want[at])
	}
	names("secrets", schema.Properties.Secrets)
	names("settings", schema.Properties.Settings)
	for process, p := range schema.Properties.Processes.Properties {
		names(process, p.Properties.Settings)
	}
	assert.Equal(t, want, got)
}

// placeOf is where the values have a variable: with the process that reads it, or in common; nowhere if only a command of the
// starter reads it.
func placeOf(v config.Variable) string {
	if v.Secret {
		return "secrets"
	}
	var by []string
	for process := range readers {
		if process != "setup" && reads(process, v) {
			by = append(by, process)
		}
	}
	switch len(by) {
	case 0:
		return ""
	case 1:
		return by[0]
	}
	return "settings"
}
