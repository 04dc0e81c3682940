package kyc_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestUserIDs(t *testing.T) {
	for _, id := range []string{"a", "7", "user-0001", "A.b_c:d-e", "0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10", strings.Repeat("x", 128)} {
		require.NoError(t, kyc.ValidateUserID(id), id)
	}
	for name, id := range map[string]string{
		"empty": "", "an e-mail address": "someone@example.com", "too long": strings.Repeat("x", 129), "a space": "a b", "a slash": "a/b",
		"our separator": "a~b", "a dash first": "-a", "a dot first": ".a", "a letter of another script": "józef", "a line break": "a\n", "a zero byte": "a\x00",
	} {
		t.Run(name, func(t *testing.T) {
			err := kyc.ValidateUserID(id)
			require.ErrorIs(t, err, kyc.ErrInvalidInput)
			require.ErrorContains(t, err, "1 to 128 letters")
			if id != "" {
				require.NotContains(t, err.Error(), id, "the refused value may be personal")
			}
		})
	}
}

func TestReturnURLs(t *testing.T) {
	for returnURL, ok := range map[string]bool{
		"": true, "https://shop.example/welcome?step=2": true, "http://127.0.0.1:8080/": true,
		"shop.example": false, "/welcome": false, "ftp://shop.example/": false, "https://": false, "https://name:word@shop.example/": false,
		"javascript:alert(1)": false, "https://shop.example/" + strings.Repeat("x", 2048): false, "https://a b/": false,
	} {
		err := kyc.Input{UserID: "u1", ReturnURL: returnURL}.Validate()
		if ok {
			require.NoError(t, err, returnURL)
			continue
		}
		require.ErrorIs(t, err, kyc.ErrInvalidInput, returnURL)
		require.ErrorContains(t, err, "return_url")
	}
}

func TestSessionsDoNotPrintTheirSecrets(t *testing.T) {
	s := kyc.Session{SessionID: "s1", SessionToken: "SECRET", URL: "https://d.example/SECRET", Status: didit.StatusNotStarted}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "session", s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s", s, s), log.String()} {
		require.NotContains(t, text, "SECRET")
		require.Contains(t, text, "s1")
	}
}

func TestEventKeys(t *testing.T) {
	ev := didit.Event{Type: "status.updated", SessionID: "s1", Status: didit.StatusApproved, CreatedAt: 5, Timestamp: 6}
	key := kyc.FromDidit(ev).EventID
	require.NoError(t, uuid.Validate(key))
	repeat, other := ev, ev
	repeat.Timestamp, other.CreatedAt = 400, 6
	require.Equal(t, key, kyc.FromDidit(repeat).EventID, "a repeat that was signed anew has the same key")
	require.NotEqual(t, key, kyc.FromDidit(other).EventID)

	ev.ID, ev.SessionID = "5F0C2C1E-2B1E-4D0E-9A57-0D0F5B1C9A01", "11111111-2222-4333-8444-55555555555A"
	got := kyc.FromDidit(ev)
	require.Equal(t, "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01", got.EventID)
	require.Equal(t, "11111111-2222-4333-8444-55555555555a", got.SessionID)
	for _, id := range []string{"../../something ~ long", "urn:uuid:5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"} {
		ev.ID = id
		require.Len(t, kyc.FromDidit(ev).EventID, 36, "an id of another form is brought into ours")
	}
}

func TestMetadataInAnyWritingOfOneObject(t *testing.T) {
	run := "0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"
	want := kyc.SessionMetadata{Deployment: "production", RunID: run, Attempt: 2, Reverify: true}
	for name, raw := range map[string]string{
		"as we write it":    `{"kyc_deployment":"production","temporal_run_id":"` + run + `","attempt":2,"reverify":true}`,
		"a number as 2.0":   `{"kyc_deployment":"production","temporal_run_id":"` + run + `","attempt":2.0,"reverify":true}`,
		"a number as 0.2e1": `{"kyc_deployment":"production","temporal_run_id":"` + run + `","attempt":0.2e1,"reverify":true}`,
		"as JSON text":      `"{\"kyc_deployment\":\"production\",\"temporal_run_id\":\"` + run + `\",\"attempt\":2,\"reverify\":true}"`,
		"beside look-alikes": `{"KYC_Deployment":"x","kyc_deployment":"production","Temporal_Run_ID":"1190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10",` +
			`"temporal_run_id":"` + run + `","Attempt":7,"attempt":2,"reverify":true,"REVERIFY":false}`,
		"before look-alikes": `{"kyc_deployment":"production","temporal_run_id":"` + run + `","attempt":2,"reverify":true,` +
			`"Temporal_Run_ID":"1190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10","Attempt":7,"Reverify":false,"kyc_Deployment":"x"}`,
		"in capital letters": `{"kyc_deployment":"production","temporal_run_id":"` + strings.ToUpper(run) + `","attempt":2,"reverify":true}`,
	} {
		require.Equal(t, want, kyc.MetadataOf([]byte(raw)), name)
	}
	for _, foreign := range []string{
		``, `null`, `"x"`, `[]`, `7`, `"null"`, `{"plan":"basic"}`, `{"temporal_run_id":7,"attempt":"2","kyc_deployment":["production"]}`,
		`{"temporal_run_id":"someone@example.com"}`, `{"attempt":-1}`, `{"attempt":1e300}`, `{"KYC_DEPLOYMENT":"production"}`,
	} {
		require.Zero(t, kyc.MetadataOf([]byte(foreign)), foreign)
	}
}

func TestEveryErrorTypeHasAHint(t *testing.T) {
	for _, kind := range []string{
		kyc.ErrorTypeRateLimited, kyc.ErrorTypeUnavailable, kyc.ErrorTypeRejected, kyc.ErrorTypeUnauthorized,
		kyc.ErrorTypeOutOfCredit, kyc.ErrorTypeNotFound, kyc.ErrorTypeSessionCap, kyc.ErrorTypeInvalidInput,
		kyc.ErrorTypeRefused, kyc.ErrorTypeCancelled, kyc.ErrorTypeErased, kyc.ErrorTypeLegalHold,
	} {
		require.NotEqual(t, kyc.Hint("something else"), kyc.Hint(kind), kind)
		require.Contains(t, (&kyc.SessionError{UserID: "u1", Type: kind}).Error(), kind)
	}
}

func TestABatchWaitsBehindPeople(t *testing.T) {
	require.Less(t, kyc.PriorityInteractive.Key(), kyc.PriorityBulk.Key())
	require.Equal(t, kyc.PriorityInteractive.Key(), kyc.Priority("").Key())
	require.Less(t, kyc.PriorityBulk.Key(), kyc.PriorityKeyPoll)
}
