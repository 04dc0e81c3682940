package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/internal/config"
)

func TestAccountIsDiditsUnlessBothAddressesSayOtherwise(t *testing.T) {
	const sim = "http://127.0.0.1:8090"
	for name, tc := range map[string]struct{ base, account, wrong string }{
		"nothing set":                {"", "", ""},
		"the simulator":              {sim, sim + "/auth/v2/", ""},
		"a base of the simulator":    {sim, "", "the simulator's is http://127.0.0.1:8090/auth/v2"},
		"an account of a simulator":  {"", sim + "/auth/v2", "set both, or neither"},
		"plain http to the internet": {"", "http://apx.didit.me/auth/v2", "want https"},
	} {
		t.Run(name, func(t *testing.T) {
			vars := map[string]string{"DIDIT_BASE_URL": tc.base, "DIDIT_ACCOUNT_URL": tc.account}
			a, err := config.ForAccount(func(name string) string { return vars[name] })
			if err == nil {
				err = a.CheckPair()
			}
			if tc.wrong != "" {
				require.ErrorContains(t, err, tc.wrong)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.base == "", a.IsDidit())
			assert.Equal(t, tc.base == "", a.AccountURL == "https://apx.didit.me/auth/v2")
			assert.NotRegexp(t, "/$", a.AccountURL)
		})
	}
}
