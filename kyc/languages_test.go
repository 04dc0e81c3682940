package kyc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

// What people copy from the pages must be what was checked.
func TestThePagesHoldTheExamples(t *testing.T) {
	pages := readPage(t, "guides/languages.md") + readPage(t, "guides/callbacks.md")
	var examples []string
	for _, pattern := range []string{"docs/examples/*/*.py", "docs/examples/*/*.ts", "dev/languages/receive/*.go"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		examples = append(examples, found...)
	}
	require.Len(t, examples, 5)
	for _, path := range examples {
		code, err := os.ReadFile(path)
		require.NoError(t, err)
		fence := map[string]string{".py": "python", ".ts": "ts", ".go": "go"}[filepath.Ext(path)]
		want := fmt.Sprintf("<!-- %s -->\n```%s\n%s```\n", strings.TrimPrefix(filepath.ToSlash(path), "../"), fence, code)
		require.Contains(t, pages, want, "a page must hold %s word for word", path)
	}
}

func TestTheLanguagesPageKnowsTheContract(t *testing.T) {
	page := readPage(t, "guides/languages.md")
	names := []string{
		kyc.WorkflowVerification, kyc.TaskQueue, kyc.TaskQueueDiditWrite, kyc.TaskQueueDiditRead,
		kyc.SignalDiditEvent, kyc.QueryState, kyc.UpdateSession, kyc.WorkflowID("<user_id>"),
		kyc.AttributeStatus, kyc.AttributeOutcome, kyc.AttributeSessionID, kyc.AttributeFlow, kyc.AttributeWaitingFor, kyc.AttributeAttempt, kyc.AttributeDeadline,
		kyc.AttributeErrorType,
		kyc.ErrorTypeRateLimited, kyc.ErrorTypeUnavailable, kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized, kyc.ErrorTypeOutOfCredit,
		kyc.ErrorTypeNotFound, kyc.ErrorTypeSessionCap, kyc.ErrorTypeInvalidInput,
	}
	for _, o := range []kyc.Outcome{
		kyc.OutcomeApproved, kyc.OutcomeDeclined, kyc.OutcomeExpired, kyc.OutcomeAbandoned, kyc.OutcomeLapsed, kyc.OutcomeFailed,
		kyc.OutcomeCancelled, kyc.OutcomeErased,
	} {
		names = append(names, string(o))
	}
	for _, v := range []any{kyc.Input{}, kyc.Session{}} {
		names = append(names, slices.DeleteFunc(fields(v), func(name string) bool { return name == "after_run" })...)
	}
	for _, name := range names {
		require.Contains(t, page, "`"+name+"`")
	}
	for _, name := range fields(kyc.State{}) {
		require.Contains(t, page, `"`+name+`":`)
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", name))
	require.NoError(t, err)
	return string(page)
}

// fields are the names of a struct on the wire.
func fields(v any) (names []string) {
	for f := range reflect.TypeOf(v).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
