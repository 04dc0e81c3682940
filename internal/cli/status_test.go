package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

func TestStatusPrints(t *testing.T) {
	for name, tc := range map[string]struct {
		args  string
		state kyc.State
		want  string
	}{
		"a verdict":         {"", approved("u1"), approvedTable},
		"a verdict as JSON": {"-o json", approved("u1"), approvedJSON + "}\n"},
		"a status that would steer the terminal": {"", kyc.State{UserID: "u1", Status: "\x1b[2J\tnew\u009b2J"}, `user      u1
session   -
status     [2J new 2J
outcome   none yet
attempt   0
checks    -
warnings  -
error     -
updated   -
workflow  kyc-u1
`},
		"one that waits for the limit": {"", kyc.State{UserID: "u1"}, `user      u1
session   -
status    -
outcome   none yet
attempt   0
checks    -
warnings  -
error     -
updated   -
workflow  kyc-u1
`},
		"one that waits, as JSON": {"-o json", kyc.State{UserID: "u1"}, `{"user_id":"u1","session_id":"","workflow_id":"","status":"","outcome":"",` +
			`"attempt":0,"error_type":"","checks":[],"warnings":[]}` + "\n"},
		"one without a session, with what to do": {"", kyc.State{UserID: "u1", Outcome: kyc.OutcomeFailed, ErrorType: kyc.ErrorTypeOutOfCredit, UpdatedAt: noon}, `user      u1
session   -
status    -
outcome   failed
attempt   0
checks    -
warnings  -
error     DiditOutOfCredit: the Didit account has no credit: top it up
updated   2026-11-23T12:00:00Z
workflow  kyc-u1
`},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: fake{state: states(tc.state, nil)}}
			require.NoError(t, b.line(t, "status --user u1 "+tc.args))
			assert.Equal(t, tc.want, b.out.String())
			assert.Equal(t, 1, b.fake.closed)
		})
	}
}

func TestStatusFails(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"kindly for an unknown user":      {fmt.Errorf("read the state of: %w", kyc.ErrNotFound), "user u9 has no verification in namespace kyc-test"},
		"with a hint when no worker runs": {errors.New("deadline exceeded"), "deadline exceeded\nif the verification is open a worker must answer: is one running?"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: fake{state: states(kyc.State{}, tc.err)}}
			require.ErrorContains(t, b.line(t, "status --user u9 -o json"), tc.want)
			assert.Empty(t, b.out.String())
		})
	}
}
