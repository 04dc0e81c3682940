package kube

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"
)

const chart = "../../deploy/helm"

// renderings are the files of deploy/helm/rendered: what helm makes of the values of the same name.
var renderings = []string{"simulator", "self-hosted", "cloud"}

// object is a manifest: what each has, and its JSON.
type object struct {
	APIVersion string
	Kind       string
	Metadata   struct {
		Name        string
		Annotations map[string]string
	}
	json []byte
}

// rendered reads the objects of a rendering.
func rendered(t *testing.T, name string) []object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "rendered", name+".yaml"))
	require.NoError(t, err)
	return objects(t, string(text))
}

// objects reads the documents of a text in YAML.
func objects(t *testing.T, text string) (all []object) {
	t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(document), &content))
		if content == nil {
			continue
		}
		all = append(all, newObject(t, content))
	}
	return all
}

func newObject(t *testing.T, content map[string]any) (o object) {
	t.Helper()
	var err error
	o.json, err = json.Marshal(content)
	require.NoError(t, err)
	o.as(t, &o)
	return o
}

// as decodes the object.
func (o object) as(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(o.json, into))
}

// workload is the part of a Deployment or a Job that these tests read.
type workload struct {
	Spec struct {
		Replicas int
		Strategy struct {
			RollingUpdate struct{ MaxSurge, MaxUnavailable int }
		}
		Template struct {
			Metadata map[string]any
			Spec     pod
		}
	}
}

type pod struct {
	TerminationGracePeriodSeconds int
	Containers                    []container
	Volumes                       []struct {
		Name      string
		Projected struct {
			Sources []struct {
				Secret struct {
					Name  string
					Items []struct{ Key, Path string }
				}
			}
		}
	}
}

type container struct {
	Args []string
	Env  []struct {
		Name, Value string
		ValueFrom   any
	}
	Ports []struct {
		Name          string
		ContainerPort int
	}
	LivenessProbe, ReadinessProbe probe
	VolumeMounts                  []struct{ Name, MountPath string }
}

type probe struct {
	HTTPGet                                         struct{ Path, Port string }
	PeriodSeconds, TimeoutSeconds, FailureThreshold int
}

// variables are the names of the environment.
func (c container) variables() (names []string) {
	for _, e := range c.Env {
		names = append(names, e.Name)
	}
	return names
}

// workloads are the Deployments and Jobs of a rendering, by what they run.
func workloads(t *testing.T, name string) map[string]workload {
	t.Helper()
	all := map[string]workload{}
	for _, o := range rendered(t, name) {
		if o.Kind == "Deployment" || o.Kind == "Job" {
			var w workload
			o.as(t, &w)
			all[strings.TrimPrefix(o.Metadata.Name, "kyc-")] = w
		}
	}
	require.NotEmpty(t, all)
	return all
}
