package kyc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// The webhook and a sweep both ask this.
func TestWhichEventsAreIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*didit.Event)
		want   kyc.Ignored
	}{
		"a change of status":      {func(*didit.Event) {}, ""},
		"a type but no status":    {func(e *didit.Event) { e.Status = "" }, ""},
		"a status but no type":    {func(e *didit.Event) { e.Type = "" }, ""},
		"neither type nor status": {func(e *didit.Event) { e.Type, e.Status = "", "" }, kyc.IgnoredType},
		"another type":            {func(e *didit.Event) { e.Type = didit.EventDataUpdated }, kyc.IgnoredType},
		"no environment":          {func(e *didit.Event) { e.Environment = "" }, ""},
		"the other environment":   {func(e *didit.Event) { e.Environment = "sandbox" }, kyc.IgnoredEnvironment},
		"a test from the console": {func(e *didit.Event) { e.Test = true }, kyc.IgnoredTest},
		"a user id of no form":    {func(e *didit.Event) { e.VendorData = "a b" }, kyc.IgnoredForeign},
		"a session id of no form": {func(e *didit.Event) { e.SessionID = "s" }, kyc.IgnoredForeign},
	} {
		t.Run(name, func(t *testing.T) {
			ev := didit.Event{
				Type: didit.EventStatusUpdated, SessionID: "e84e377d-0f90-45fb-96b7-2fd97b731aa5", VendorData: "u1",
				Status: didit.StatusApproved, Environment: "live",
			}
			c.change(&ev)
			require.Equal(t, c.want, kyc.IgnoredIn("live", ev))
		})
	}
}
