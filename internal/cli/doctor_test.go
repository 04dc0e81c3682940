package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/doctor"
)

// sick runs the doctor where every setting is wrong and no host can be reached.
func sick(t *testing.T, environ map[string]string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	tool := &tool{
		stdout: &out, stderr: &out, now: time.Now, after: time.After,
		getenv:   func(name string) string { return environ[name] },
		environ:  func() []string { return nil },
		temporal: func() (client.Options, error) { return client.Options{}, errors.New("unable to parse TEMPORAL_TLS") },
	}
	err := tool.run(t.Context(), append([]string{"doctor"}, args...))
	return out.String(), err
}

// nowhere is an address that the doctor refuses without a call.
var nowhere = map[string]string{"DIDIT_BASE_URL": "http://127.0.0.1:1"}

func TestTheDoctorsFindingsInATable(t *testing.T) {
	out, err := sick(t, nowhere)
	require.ErrorContains(t, err, "checks failed")
	assert.NotContains(t, out, "\x1b", "colours are for terminals")
	assert.Regexp(t, `(?m)^failed   settings +DIDIT_API_KEY is not set`, out)
	assert.Regexp(t, "(?m)^ +-> `starter setup didit` reads it from Didit", out)
	assert.Regexp(t, `(?m)^failed   temporal +read the TEMPORAL_ settings: unable to parse`, out)
	assert.Regexp(t, `(?m)^skipped  namespace +Temporal cannot be reached`, out)
	assert.Regexp(t, `\d+ ok, \d+ warnings, \d+ failed, \d+ skipped\n$`, out)
}

func TestTheDoctorsFindingsForAProgram(t *testing.T) {
	out, err := sick(t, nowhere, "-o", "json")
	require.Error(t, err)
	var got struct {
		OK     bool
		Checks []doctor.Finding
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.False(t, got.OK)
	assert.ErrorContains(t, err, fmt.Sprintf("%d of %d checks failed", doctor.Failures(got.Checks), len(got.Checks)))
}

func TestTheDoctorReadsAnEnvFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kyc.env")
	require.NoError(t, os.WriteFile(path, []byte("SESSION_CAP=none\nTEMPORAL_ADDRESS=127.0.0.1:1\nTEMPORAL_NAMESPACE=of-the-file\n"), 0o600))
	out, err := sick(t, map[string]string{"DIDIT_BASE_URL": "http://127.0.0.1:1", "SESSION_CAP": "3"}, "--env-file", path)
	require.Error(t, err)
	assert.Contains(t, out, `SESSION_CAP="none"`, "the file wins")
	assert.Contains(t, out, "reach Temporal at 127.0.0.1:1, namespace of-the-file", "Temporal's settings too")
	_, err = sick(t, nowhere, "--env-file", path+".not")
	require.ErrorContains(t, err, "read the env file")
}

func TestEachProcessHasItsOwnSettings(t *testing.T) {
	out, _ := sick(t, nowhere, "--process", "webhook")
	assert.NotContains(t, out, "DIDIT_API_KEY is not set")
	assert.Contains(t, out, "DIDIT_WEBHOOK_SECRETS is not set")
	assert.Contains(t, out, "the key is the worker's")
	out, _ = sick(t, nowhere, "--process", "worker")
	assert.NotContains(t, out, "DIDIT_WEBHOOK_SECRETS is not set")
	_, err := sick(t, nowhere, "--process", "starter")
	require.ErrorContains(t, err, "want all or worker or webhook")
}

func TestColoursAndTextOfOthers(t *testing.T) {
	var out bytes.Buffer
	printFindings(&out, []doctor.Finding{{Check: "x", Status: doctor.Failed, Found: "evil \x1b[2J\u009b2J\ntext", Fix: "no"}}, true)
	assert.Equal(t, "\x1b[31mfailed \x1b[0m  x  evil  [2J 2J text\n            -> no\n0 ok, 0 warnings, 1 failed, 0 skipped\n", out.String())
}

func TestExamplesOfTheDoctorAreRight(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(".env", nil, 0o600))
	for line := range strings.Lines(doctorExample) {
		words := strings.Fields(strings.Split(strings.TrimSpace(line), "   ")[0])
		for i, w := range words {
			words[i] = strings.ReplaceAll(w, "https://kyc.your-domain", "http://127.0.0.1:1")
		}
		_, err := sick(t, nowhere, words[2:]...)
		require.Equal(t, failedUnhealthy, kindOf(err), line)
	}
}
