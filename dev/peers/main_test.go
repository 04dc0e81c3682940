package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyListedDifferencesPass(t *testing.T) {
	saved := differences
	t.Cleanup(func() { differences = saved })
	differences = map[string]string{"odd": "because"}
	odd := row{program: "p", call: "odd", got: "404", want: "ok"}
	good := row{program: "p", call: "good", got: "ok", want: "ok"}
	for name, tc := range map[string]struct {
		rows []row
		says string
		fits bool
	}{
		"all as listed":                     {[]row{good, odd}, "2 calls, 1 known differences, 0 unexpected", true},
		"a call that differs":               {[]row{good, odd, {call: "new", got: "500", want: "ok"}}, "WANT ok", false},
		"a difference that is not any more": {[]row{good, {call: "odd", got: "ok", want: "ok"}}, `the difference "odd" is gone`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := report(&out, tc.rows)
			require.Equal(t, tc.fits, err == nil)
			require.Contains(t, out.String(), tc.says)
		})
	}
}

func TestAMachineWithoutARegistrySkips(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("STRICT", "")
	t.Setenv("SKIPPED", "")
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-dir", t.TempDir()}, &out))
	require.Contains(t, out.String(), "SKIPPED: node --version")
}
