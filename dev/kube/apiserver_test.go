package kube

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

// What the chart makes is taken by a real API server, first in a dry run and then for good, its pods included, although the
// namespace admits only what keeps to Pod Security's level "restricted".
func TestTheAPIServerTakesWhatTheChartMakes(t *testing.T) {
	skip.Long(t)
	c := startCluster(t)
	for _, name := range renderings {
		namespace, all, pods := c.namespace(name), rendered(t, name), 0
		for _, query := range []string{"dryRun=All", ""} {
			for _, o := range all {
				assert.Empty(t, c.apply(o, namespace, query), "%s: %s %s %s", name, o.Kind, o.Metadata.Name, query)
			}
		}
		for _, o := range all {
			if o.Kind == "Deployment" || o.Kind == "Job" {
				assert.Empty(t, c.apply(podOf(t, o), namespace, ""), "%s: a pod of %s", name, o.Metadata.Name)
				pods++
			}
		}
		t.Logf("%s: %d objects and %d pods", name, len(all), pods)
	}
	c.refusesWhatIsBroken()
}

// podOf is the pod that the controller of a workload would make.
func podOf(t *testing.T, o object) object {
	t.Helper()
	var w struct {
		Spec struct{ Template map[string]any }
	}
	o.as(t, &w)
	p := w.Spec.Template
	p["apiVersion"], p["kind"] = "v1", "Pod"
	p["metadata"].(map[string]any)["name"] = o.Metadata.Name
	return newObject(t, p)
}

// refusesWhatIsBroken shows that the server would have found a mistake of the chart's.
func (c *cluster) refusesWhatIsBroken() {
	namespace := c.namespace("broken")
	taken := map[string]object{}
	for _, o := range rendered(c.t, "self-hosted") {
		taken[o.Kind+" "+o.Metadata.Name] = o
	}
	taken["Pod"] = podOf(c.t, taken["Deployment kyc-worker"])
	for _, broken := range []struct {
		what, old, new, want string
		code                 int
	}{
		{"Pod", `"runAsNonRoot":true`, `"runAsNonRoot":false`, "violates PodSecurity", http.StatusForbidden},
		{"Pod", `"drop":["ALL"]`, `"drop":[]`, "violates PodSecurity", http.StatusForbidden},
		{"Pod", `"type":"RuntimeDefault"`, `"type":"Unconfined"`, "violates PodSecurity", http.StatusForbidden},
		{"Deployment kyc-worker", `"readinessProbe"`, `"readynessProbe"`, "field not declared in schema", http.StatusInternalServerError},
		{"Deployment kyc-worker", `"matchLabels":{`, `"matchLabels":{"of":"another",`, "does not match template", http.StatusUnprocessableEntity},
		{"NetworkPolicy kyc-worker", `"0.0.0.0/0"`, `"anywhere"`, "ipBlock.cidr", http.StatusUnprocessableEntity},
		{"ServiceMonitor kyc", `"endpoints"`, `"endpoint"`, "endpoint", http.StatusInternalServerError},
		{"ScaledObject kyc-worker", `"triggers"`, `"trigger"`, "trigger", http.StatusInternalServerError},
	} {
		o := taken[broken.what]
		require.Contains(c.t, string(o.json), broken.old, broken.what)
		require.True(c.t, json.Valid([]byte(strings.ReplaceAll(string(o.json), broken.old, broken.new))))
		o.json = []byte(strings.ReplaceAll(string(o.json), broken.old, broken.new))
		r := c.apply(o, namespace, "dryRun=All")
		assert.Equal(c.t, broken.code, r.Code, "%s with %s: %s", broken.what, broken.new, r.Message)
		assert.Contains(c.t, r.Message, broken.want)
	}
}
