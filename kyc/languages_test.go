package kyc_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

// What people copy from the page must be what was checked.
func TestTheLanguagesPageHoldsTheExamples(t *testing.T) {
	page := languages(t)
	examples := 0
	require.NoError(t, filepath.WalkDir("../docs/examples", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		examples++
		code, err := os.ReadFile(path)
		require.NoError(t, err)
		fence := map[string]string{".py": "python", ".ts": "ts"}[filepath.Ext(path)]
		want := fmt.Sprintf("<!-- %s -->\n```%s\n%s```\n", strings.TrimPrefix(filepath.ToSlash(path), "../"), fence, code)
		require.Contains(t, page, want, "docs/languages.md must hold %s word for word", path)
		return nil
	}))
	require.Equal(t, 2, examples)
}

func TestTheLanguagesPageKnowsTheContract(t *testing.T) {
	page := languages(t)
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
		names = append(names, fields(v)...)
	}
	for _, name := range names {
		require.Contains(t, page, "`"+name+"`")
	}
	for _, name := range fields(kyc.State{}) {
		require.Contains(t, page, `"`+name+`":`)
	}
}

func languages(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/languages.md")
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
