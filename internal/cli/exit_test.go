package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

func TestEachKindOfFailureHasItsExitCode(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		word string
		code int
	}{
		"a flag that is unknown":        {run(t, "start", "--no-such-flag"), "usage", 2},
		"a command that is unknown":     {run(t, "stat"), "usage", 2},
		"a flag that is missing":        {run(t, "status"), "usage", 2},
		"a user id that breaks a rule":  {run(t, "start", "--user", "a@b.example"), "usage", 2},
		"both ways to name users":       {run(t, "bulk", "-n", "5", "--file", "x"), "usage", 2},
		"a file that is not there":      {run(t, "bulk", "--file", "no-such-file.csv"), "usage", 2},
		"an argument":                   {run(t, "start", "u1"), "usage", 2},
		"a user who was never started":  {unknownUser("u1", "default"), "not_found", 3},
		"no Temporal":                   {ofKind(failedTemporal, errors.New("reach Temporal")), "temporal", 4},
		"Temporal is away meanwhile":    {fmt.Errorf("x: %w", serviceerror.NewUnavailable("x")), "temporal", 4},
		"no worker":                     {fmt.Errorf("x: %w", context.DeadlineExceeded), "temporal", 4},
		"a payload key that is missing": {fmt.Errorf("x: %w", serviceerror.NewNamespaceNotFound("x")), "temporal", 4},
		"Didit refuses":                 {&kyc.SessionError{UserID: "u1", Type: kyc.ErrorTypeRejected}, "refused", 5},
		"an operator's action":          {&ops.OperationError{UserID: "u1"}, "refused", 5},
		"the doctor found something":    {ofKind(failedUnhealthy, errors.New("1 of 2 checks failed")), "unhealthy", 6},
		"some users failed":             {(&tally{users: 2, by: map[outcome]int{created: 1, failed: 1}}).verdict(), "partly", 7},
		"Ctrl-C":                        {fmt.Errorf("%w; it goes on", errInterrupted), "interrupted", 130},
		"anything else":                 {errors.New("x"), "error", 1},
	} {
		require.Error(t, tc.err, name)
		var text bytes.Buffer
		assert.Equal(t, tc.code, Report(&text, nil, tc.err), name)
		assert.True(t, strings.HasPrefix(text.String(), "starter: "), name)

		var line bytes.Buffer
		assert.Equal(t, tc.code, Report(&line, []string{"status", "-o", "json"}, tc.err), name)
		var got struct{ Error errorJSON }
		require.NoError(t, json.Unmarshal(line.Bytes(), &got), name)
		assert.Equal(t, tc.word, got.Error.Kind, name)
		assert.Equal(t, tc.code, got.Error.ExitCode, name)
		assert.Equal(t, tc.err.Error(), got.Error.Message, name)
		assert.Equal(t, 1, strings.Count(line.String(), "\n"), "%s: one line", name)
	}
	assert.Zero(t, Report(&bytes.Buffer{}, nil, nil))
}

func run(t *testing.T, args ...string) error {
	t.Helper()
	var b bench
	return b.run(t.Context(), args...)
}

func TestJSONIsAskedForInEachFormOfTheFlag(t *testing.T) {
	for _, args := range []string{"status -o json", "status --output json", "status --output=json", "status -ojson", "status -o=json"} {
		assert.True(t, wantsJSON(strings.Fields(args)), args)
	}
	for _, args := range []string{"", "status", "status -o table", "status -o", "status --user json"} {
		assert.False(t, wantsJSON(strings.Fields(args)), args)
	}
}

// The help is the documentation of the codes.
func TestTheHelpListsTheExitCodes(t *testing.T) {
	for _, f := range failures {
		assert.Contains(t, rootLong, fmt.Sprintf("  %-4d %s", f.code, f.meaning))
	}
}

// The cause follows the error, for people and for programs.
func TestTheCauseIsPrinted(t *testing.T) {
	err := fmt.Errorf("start the verification of user u1: %w", serviceerror.NewInvalidArgument("no mapping defined for search attribute KycStatus"))
	var text, line bytes.Buffer
	Report(&text, nil, err)
	assert.Contains(t, text.String(), "run `starter setup`")
	Report(&line, []string{"-o", "json"}, err)
	assert.Contains(t, line.String(), `"cause":"the namespace lacks search attributes of this version; run `)
}
