package diditsim_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

const (
	inbox    = "Ops@kyc.internal"
	password = "Str0ng!Enough"
)

func (b bundle) registrar(t *testing.T) *didit.Registrar {
	t.Helper()
	r, err := didit.NewRegistrar(didit.RegistrarOptions{BaseURL: b.url + diditsim.AccountPath})
	require.NoError(t, err)
	return r
}

// open makes an account and a client with its key.
func (b bundle) open(t *testing.T, email string) (didit.Registration, *didit.Client) {
	t.Helper()
	r := b.registrar(t)
	require.NoError(t, r.Register(t.Context(), email, password))
	code, ok := b.LastCode(strings.ToUpper(email))
	require.True(t, ok)
	got, err := r.VerifyEmail(t.Context(), strings.ToLower(email), strings.ToLower(code))
	require.NoError(t, err)
	c, err := didit.NewClient(didit.ClientOptions{BaseURL: b.url, APIKey: got.APIKey.Reveal()})
	require.NoError(t, err)
	return got, c
}

func TestAnAccountIsOpenedWithACode(t *testing.T) {
	var log bytes.Buffer
	b := start(t, diditsim.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	got, c := b.open(t, inbox)
	assert.Regexp(t, `^[A-Za-z0-9_-]{43}$`, got.APIKey.Reveal())
	assert.Len(t, got.ClientID, 22)
	assert.Equal(t, 24*time.Hour, got.AccessTokenLife)
	for _, id := range []string{got.ApplicationID, got.OrganizationID} {
		assert.Len(t, id, 36)
	}
	_, err := c.Balance(t.Context())
	require.NoError(t, err, "the key is good")
	_, ok := b.LastCode(inbox)
	assert.False(t, ok, "a code is good once")
	assert.Contains(t, log.String(), "code=")
	assert.NotContains(t, strings.ToLower(log.String()), strings.ToLower(inbox))
	assert.NotContains(t, log.String(), got.APIKey.Reveal())
	code, _, body := b.call(t, "POST", "/auth/v2/programmatic/register/", "", `{"email":"`+inbox+`","password":"`+password+`"}`)
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `{"email":["An account with this email already exists."]}`, body)
}

func TestApplicationsDoNotSeeEachOther(t *testing.T) {
	b := start(t, diditsim.Options{})
	account, other := b.open(t, inbox)
	ours := b.create(t, "u1")
	theirs, err := other.CreateSession(t.Context(), didit.CreateSessionRequest{WorkflowID: flow, VendorData: "u1"})
	require.NoError(t, err)
	assert.NotEqual(t, ours.ID, theirs.ID, "an unfinished session is not handed to another application")
	for _, tc := range []struct {
		c            *didit.Client
		own, foreign string
	}{{b.api, ours.ID, theirs.ID}, {other, theirs.ID, ours.ID}} {
		all, err := tc.c.SessionsOf(t.Context(), "u1")
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, tc.own, all[0].ID)
		_, err = tc.c.Decision(t.Context(), tc.foreign)
		assert.Equal(t, 404, refusal(t, err).StatusCode)
		_, err = tc.c.DeleteSession(t.Context(), tc.foreign, didit.DeleteSessionRequest{})
		assert.Equal(t, 404, refusal(t, err).StatusCode)
		_, err = tc.c.Reviews(t.Context(), tc.foreign)
		assert.Equal(t, 404, refusal(t, err).StatusCode)
	}
	d, err := other.CreateDestination(t.Context(), destination("https://theirs.example"))
	require.NoError(t, err)
	_, err = b.api.GetDestination(t.Context(), d.ID)
	assert.Equal(t, 404, refusal(t, err).StatusCode)
	_, err = b.api.CreateDestination(t.Context(), destination("https://theirs.example"))
	require.NoError(t, err, "a URL is unique within one application only")
	n, err := other.DeleteUser(t.Context(), "u1")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.True(t, b.HasUser("u1"), "ours is still there")
	code, _, body := b.call(t, "POST", "/v3/users/delete/", account.APIKey.Reveal(), `{"delete_all":true}`)
	assert.Equal(t, 200, code)
	assert.JSONEq(t, `{"deleted":0}`, body, "all of its own, not of all")
}

func TestRegistrationsThatDiditRefuses(t *testing.T) {
	b := start(t, diditsim.Options{})
	post := func(email, word string) (int, string) {
		code, _, body := b.call(t, "POST", "/auth/v2/programmatic/register/", "", `{"email":"`+email+`","password":"`+word+`"}`)
		return code, body
	}
	code, body := post("nobody", password)
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `{"email":["Enter a valid email address."]}`, body)
	code, body = post(inbox, "alllower1!")
	assert.Equal(t, 400, code)
	assert.JSONEq(t, `{"password":["Must contain an uppercase letter."]}`, body)
	code, _ = post("a@mail.example.com", password)
	assert.Equal(t, 500, code, "no code can arrive there")
	_, ok := b.LastCode("a@mail.example.com")
	assert.False(t, ok)
	code, _, _ = b.call(t, "POST", "/auth/v2/programmatic/register/", "", `{`)
	assert.Equal(t, 400, code)
}

func TestFiveRegistrationsAnHour(t *testing.T) {
	var passed atomic.Int64
	begun := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{Now: func() time.Time { return begun.Add(time.Duration(passed.Load())) }})
	r := b.registrar(t)
	for range 5 {
		require.NoError(t, r.Register(t.Context(), inbox, password))
		passed.Add(int64(time.Minute))
	}
	err := r.Register(t.Context(), inbox, password)
	require.ErrorIs(t, err, didit.ErrTooManyRegistrations)
	assert.Equal(t, 55*time.Minute, refusal(t, err).RetryAfter)
	passed.Add(int64(55 * time.Minute))
	require.NoError(t, r.Register(t.Context(), inbox, password))
	require.ErrorIs(t, r.Register(t.Context(), inbox, password), didit.ErrTooManyRegistrations, "one of the five was free again")
}

func TestWrongCodes(t *testing.T) {
	var passed atomic.Int64
	begun := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := start(t, diditsim.Options{Now: func() time.Time { return begun.Add(time.Duration(passed.Load())) }})
	r := b.registrar(t)
	verify := func(code string) error { _, err := r.VerifyEmail(t.Context(), inbox, code); return err }
	require.ErrorIs(t, verify("A3K9F2"), didit.ErrWrongCode, "no account waits for a code")
	require.NoError(t, r.Register(t.Context(), inbox, password))
	for range 5 {
		require.ErrorIs(t, verify("000000"), didit.ErrWrongCode)
	}
	code, ok := b.LastCode(inbox)
	require.True(t, ok)
	err := verify(code)
	require.ErrorIs(t, err, didit.ErrLockedOut, "even with the right one")
	assert.Equal(t, 15*time.Minute, refusal(t, err).RetryAfter)
	passed.Add(int64(15*time.Minute + time.Second))
	_, ok = b.LastCode(inbox)
	assert.False(t, ok)
	require.ErrorIs(t, verify(code), didit.ErrWrongCode, "it is too old by now")
	require.NoError(t, r.Register(t.Context(), inbox, password))
	renewed, _ := b.LastCode(inbox)
	require.ErrorIs(t, verify(code), didit.ErrWrongCode, "the old one")
	require.NoError(t, verify(renewed))
	require.ErrorIs(t, verify(renewed), didit.ErrWrongCode, "it was used")
	assert.Equal(t, 1, b.CallCount(diditsim.EndpointVerifyEmail, http.StatusTooManyRequests))
}
