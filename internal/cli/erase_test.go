package cli

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

const eraseLine = "erase --user u1 --actor jo --reason request:CASE-1 --id " + orderID

func erasing(t *testing.T, e kyc.Erased) func(context.Context, kyc.Operation) (kyc.OperationResult, error) {
	t.Helper()
	return func(_ context.Context, op kyc.Operation) (kyc.OperationResult, error) {
		require.NoError(t, op.Validate())
		require.Equal(t, kyc.VerbErase, op.Verb)
		require.True(t, op.LegalHoldChecked)
		none := e == kyc.Erased{}
		return kyc.OperationResult{UserID: op.UserID, Verb: op.Verb, Changed: !none, Already: none, Erased: &e}, nil
	}
}

func TestErasePrints(t *testing.T) {
	for name, tc := range map[string]struct {
		erased kyc.Erased
		args   string
		want   string
	}{
		"what was erased": {kyc.Erased{Sessions: 2, Users: 1, Runs: 3, Ended: true}, "", `user               u1
erased             yes
sessions at Didit  2
user at Didit      deleted
was open           yes
workflows          3
by                 jo request:CASE-1
record             kyc-u1~erase-` + orderID + "\n"},
		"that nothing was left": {kyc.Erased{}, "", `user               u1
erased             nothing was left
sessions at Didit  0
user at Didit      there was none
was open           no
workflows          0
by                 jo request:CASE-1
record             kyc-u1~erase-` + orderID + "\n"},
		"JSON": {kyc.Erased{Sessions: 1, UserKept: true}, " -o json", `{"user_id":"u1","session_id":"","verb":"erase","before":"","after":"","changed":true,"already":false,` +
			`"erased":{"sessions":1,"users":0,"runs":0,"ended":false,"user_kept":true},"workflow_id":"kyc-u1~erase-` + orderID + `"}` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: fake{operate: erasing(t, tc.erased)}}
			require.NoError(t, b.line(t, eraseLine+" --yes --no-legal-hold"+tc.args))
			assert.Equal(t, tc.want, b.out.String())
			assert.Empty(t, b.errOut.String(), "no question")
		})
	}
}

func TestErasingAsksAboutALegalHold(t *testing.T) {
	for name, tc := range map[string]struct {
		interactive bool
		typed       string
		args        string
		want        string // empty: erased
	}{
		"the user id is typed":     {true, "u1\n", "", ""},
		"another is typed":         {true, "U1\n", "", "not the user id; nothing is erased"},
		"yes is typed":             {true, "yes\n", "", "not the user id"},
		"nothing is typed":         {true, "", "", "not the user id"},
		"no terminal":              {false, "u1\n", "", "--yes --no-legal-hold"},
		"only --yes":               {true, "u1\n", " --yes", "--yes needs --no-legal-hold"},
		"only --no-legal-hold":     {true, "u1\n", " --no-legal-hold", "--no-legal-hold needs --yes"},
		"both, on a terminal":      {true, "", " --yes --no-legal-hold", ""},
		"a rule is broken already": {true, "u1\n", " --reason (odd)", "--reason: want"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench{fake: fake{operate: erasing(t, kyc.Erased{Runs: 1})}, interactive: tc.interactive, stdin: tc.typed}
			err := b.line(t, eraseLine+tc.args)
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, 1, b.dials)
			} else {
				require.ErrorContains(t, err, tc.want)
				require.Zero(t, b.dials, "Temporal was not even asked")
			}
			if tc.typed != "" && tc.interactive && tc.args == "" {
				require.Contains(t, b.errOut.String(), "legal hold")
				require.Contains(t, b.errOut.String(), "u1")
			}
		})
	}
}
