//go:build !race

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/stack"
	"didit-temporal/kyc"
	"didit-temporal/starter/api"
)

// The lines of docs/guides/frontend.md for an app are run as they stand there, but for the addresses.
func TestTheLinesForAnAppWork(t *testing.T) {
	skip.Program(t, "curl", "curl")
	text, err := os.ReadFile(filepath.Join("..", "docs", "guides", "frontend.md"))
	require.NoError(t, err)
	_, script, found := strings.Cut(string(text), "API=http://127.0.0.1:8081 TOKEN=simulator-api-token DIDIT=http://127.0.0.1:8090\n")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "```")
	s, err := stack.Start(t.Context(), stack.Options{IP: "127.0.0.1", TemporalLogLevel: "error"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-ec", script)
	cmd.Env = append(os.Environ(), "API="+s.Address("api"), "TOKEN="+stack.APIToken, "DIDIT="+s.Address("simulator"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	link, answer, _ := strings.Cut(string(out), "\n")
	require.True(t, strings.HasPrefix(link, "myapp://app/verified?status=Approved&verificationSessionId="), link)
	var stands api.Verification
	require.NoError(t, json.Unmarshal([]byte(answer), &stands))
	require.Equal(t, kyc.OutcomeApproved, stands.Outcome)
}
