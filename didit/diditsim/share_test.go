package diditsim_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

// share shares a session, and returns the token.
func (b bundle) share(t *testing.T, id, with string) string {
	t.Helper()
	code, _, text := b.call(t, "POST", "/v3/session/"+id+"/share/", apiKey, fmt.Sprintf(`{"for_application_id":%q,"ttl_in_seconds":60}`, with))
	require.Equal(t, 200, code, text)
	var got struct {
		Token string `json:"share_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	return got.Token
}

func TestASharedSessionIsImportedOnce(t *testing.T) {
	b := start(t, diditsim.Options{})
	other, _ := b.open(t, inbox)
	key := other.APIKey.Reveal()
	s := b.create(t, "u1")
	b.bring(t, s.ID, didit.StatusApproved)
	take := func(key, token, more string) (code int, text string) {
		code, _, text = b.call(t, "POST", "/v3/session/import-shared/", key, fmt.Sprintf(`{"share_token":%q%s}`, token, more))
		return code, text
	}

	for more, want := range map[string]string{"": "In Review", `,"trust_review":true,"vendor_data":"theirs"`: "Approved"} {
		token := b.share(t, s.ID, other.ApplicationID)
		code, text := take(apiKey, token, more)
		assert.Equal(t, 400, code, "it is for another application")
		assert.JSONEq(t, `{"share_token":["Invalid or expired share token."]}`, text)
		code, text = take(key, token, more)
		require.Equal(t, 201, code, text)
		assert.Contains(t, text, `"status":"`+want+`"`)
		assert.Contains(t, text, `"shared_from_session":"`+s.ID+`"`)
		code, _ = take(key, token, more)
		assert.Equal(t, 403, code, "once")
	}
	late := b.share(t, s.ID, other.ClientID)
	b.SetClockOffset(61 * time.Second)
	code, _ := take(key, late, "")
	assert.Equal(t, 400, code, "a minute is over")
	require.Len(t, b.Sessions(), 3)
	assert.Equal(t, didit.StatusApproved, b.SessionsOf("theirs")[0].Status)

	for _, body := range []string{`{}`, `{"for_application_id":"x","ttl_in_seconds":59}`} {
		code, _, _ := b.call(t, "POST", "/v3/session/"+s.ID+"/share/", apiKey, body)
		assert.Equal(t, 400, code, body)
	}
}
