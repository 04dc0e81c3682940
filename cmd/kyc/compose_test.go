package main

import (
	"bufio"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit/diditsim"
)

const root = "../../"

// service is the part of a service in docker-compose.yml that these tests read.
type service struct {
	Image       string
	Entrypoint  []string
	Command     []string
	Environment map[string]string
	Restart     string
	Healthcheck struct{ Test []string }
}

// services are those that run our images, by name, with the settings of .env.example.
func services(t *testing.T) map[string]service {
	t.Helper()
	example, err := os.ReadFile(root + ".env.example")
	require.NoError(t, err)
	settings := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z][A-Z0-9_]*)=(.*)$`).FindAllStringSubmatch(string(example), -1) {
		settings[m[1]] = m[2]
	}
	text, err := os.ReadFile(root + "docker-compose.yml")
	require.NoError(t, err)
	filled := regexp.MustCompile(`\$\{([A-Z0-9_]+):([-?])([^}]*)\}`).ReplaceAllStringFunc(string(text), func(s string) string {
		name, fallback, _ := strings.Cut(strings.Trim(s, "${}"), ":")
		if settings[name] == "" && strings.HasPrefix(fallback, "-") {
			return fallback[1:]
		}
		return settings[name]
	})
	var file struct{ Services map[string]service }
	require.NoError(t, yaml.Unmarshal([]byte(filled), &file))
	maps.DeleteFunc(file.Services, func(_ string, s service) bool { return !strings.HasPrefix(s.Image, "didit-temporal") })
	return file.Services
}

// args is what the program gets: the image's entrypoint is kyc itself.
func (s service) args(t *testing.T, more ...string) []string {
	t.Helper()
	args := append(slices.Clone(s.Entrypoint), s.Command...)
	if len(s.Entrypoint) > 0 {
		require.Equal(t, "/kyc", args[0])
		args = args[1:]
	}
	return append(args, more...)
}

// environment is the service's, with Temporal and the listeners elsewhere: a test must not depend on what runs here.
func (s service) environment() []string {
	env := []string{}
	for name, value := range s.Environment {
		switch {
		case name == "TEMPORAL_ADDRESS":
			value = "127.0.0.1:1"
		case strings.HasSuffix(name, "_ADDR"):
			value = "127.0.0.1:0"
		}
		env = append(env, name+"="+value)
	}
	return env
}

// The command line and the settings are right if the program gets as far as Temporal, which is not there.
func TestEachServiceOfComposeGetsAsFarAsTemporal(t *testing.T) {
	all := services(t)
	require.ElementsMatch(t, []string{"setup", "worker", "webhook", "api", "codec", "starter", "simulator"}, slices.Collect(maps.Keys(all)))
	delete(all, "codec") // needs no Temporal
	delete(all, "simulator")
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := s.args(t)
			if name == "starter" {
				args = s.args(t, "start", "--user", "u1")
			}
			out, code := ends(t, s.environment(), args...)
			assert.Equal(t, 4, code, out)
			assert.Contains(t, out, "reach Temporal at 127.0.0.1:1")
		})
	}
}

// The codec server runs with the command and the settings of its service, and its health check succeeds while it runs.
func TestTheHealthCheckOfAServiceFindsItsProcess(t *testing.T) {
	codec := services(t)["codec"]
	cmd := kyc(t, codec.environment(), codec.args(t)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	address := ""
	for in := bufio.NewScanner(out); in.Scan() && !strings.Contains(in.Text(), "codec server listens"); {
		if m := regexp.MustCompile(`http://(\S+)/metrics`).FindStringSubmatch(in.Text()); m != nil {
			address = m[1]
		}
	}
	require.NotEmpty(t, address)
	probe := strings.Replace(codec.Healthcheck.Test[3], "127.0.0.1:9464", address, 1)
	got, code := ends(t, nil, append(codec.Healthcheck.Test[2:3:3], probe)...)
	assert.Zero(t, code, got)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	got, code = ends(t, nil, append(codec.Healthcheck.Test[2:3:3], probe)...)
	assert.Equal(t, 1, code, got)
}

// A health check of the wrong port would report a healthy process as unhealthy.
func TestEachServerIsRestartedAndChecked(t *testing.T) {
	for name, s := range services(t) {
		if name == "setup" || name == "starter" { // they end
			assert.Empty(t, s.Healthcheck.Test, name)
			continue
		}
		assert.Equal(t, "unless-stopped", s.Restart, name)
		require.Len(t, s.Healthcheck.Test, 4, name)
		assert.Equal(t, []string{"CMD", "/kyc", "probe"}, s.Healthcheck.Test[:3], name)
		port := regexp.MustCompile(`^http://127\.0\.0\.1(:\d+)(/.+)$`).FindStringSubmatch(s.Healthcheck.Test[3])
		require.NotNil(t, port, name)
		assert.Contains(t, slices.Collect(maps.Values(s.Environment)), port[1], name)
		assert.Contains(t, []string{"GET /readyz", diditsim.EndpointHealth}, "GET "+port[2], name)
	}
}

// Our tests and benchmarks must run what the image contains.
func TestTheImageIsBuiltWithTheTagsOfMakeBuild(t *testing.T) {
	makefile, err := os.ReadFile(root + "Makefile")
	require.NoError(t, err)
	tags := regexp.MustCompile(`(?m)^TAGS +:= (\S+)$`).FindSubmatch(makefile)
	require.NotNil(t, tags)
	for _, file := range []string{"Dockerfile", "dev/procs/procs.go"} {
		text, err := os.ReadFile(root + file)
		require.NoError(t, err)
		assert.Contains(t, string(text), "-tags="+string(tags[1]), file)
	}
}
