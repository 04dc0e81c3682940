package didit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	inbox    = "Ops.Team@kyc.internal"
	password = "Str0ng!Enough"
)

func serveAccounts(t *testing.T, h http.HandlerFunc) *Registrar {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	r, err := NewRegistrar(RegistrarOptions{BaseURL: srv.URL + "/auth/v2/"})
	require.NoError(t, err)
	return r
}

func TestRegistration(t *testing.T) {
	r := serveAccounts(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		assert.NotContains(t, req.Header, "X-Api-Key")
		switch req.URL.Path {
		case "/auth/v2/programmatic/register/":
			assert.JSONEq(t, `{"email":"`+inbox+`","password":"`+password+`"}`, string(body))
			w.WriteHeader(http.StatusCreated)
		case "/auth/v2/programmatic/verify-email/":
			assert.JSONEq(t, `{"email":"`+inbox+`","code":"A3K9F2"}`, string(body))
			_, _ = io.WriteString(w, `{"access_token":"aaa-secret","refresh_token":"rrr-secret","expires_in":86400,`+
				`"organization":{"uuid":"o-1","name":"ops"},"application":{"uuid":"a-1","name":"ops","client_id":"c-1","api_key":"kkk-secret"}}`)
		default:
			t.Errorf("called %s", req.URL.Path)
		}
	})
	require.NoError(t, r.Register(t.Context(), inbox, password))
	got, err := r.VerifyEmail(t.Context(), inbox, "A3K9F2")
	require.NoError(t, err)
	assert.Equal(t, Registration{
		APIKey: "kkk-secret", ClientID: "c-1", ApplicationID: "a-1", OrganizationID: "o-1", OrganizationName: "ops",
		AccessToken: "aaa-secret", RefreshToken: "rrr-secret", AccessTokenLife: 24 * time.Hour,
	}, got)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), "secret")
}

func TestRegistrarOptionsAreChecked(t *testing.T) {
	_, err := NewRegistrar(RegistrarOptions{BaseURL: "https://u:hidden@h.example"})
	require.ErrorContains(t, err, "no user")
	assert.NotContains(t, err.Error(), "hidden")
	r, err := NewRegistrar(RegistrarOptions{})
	require.NoError(t, err)
	assert.Equal(t, DefaultAccountURL, r.c.base)
}

func TestRefusedRegistrations(t *testing.T) {
	quoting := `{"detail":"` + inbox + ` or ` + strings.ToLower(inbox) + ` or Ops.Team with ` + password + ` or A3K9F2."}`
	for name, tc := range map[string]struct {
		code     int
		register error // nil: any APIError
		verify   error
	}{
		"400": {400, nil, ErrWrongCode}, "401": {401, nil, ErrWrongCode}, "404": {404, nil, ErrWrongCode},
		"403": {403, nil, ErrLockedOut}, "423": {423, nil, ErrLockedOut}, "429": {429, ErrTooManyRegistrations, ErrLockedOut},
		"500": {500, nil, nil}, "301": {301, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := serveAccounts(t, answerWith(tc.code, quoting))
			register := r.Register(t.Context(), inbox, password)
			_, verify := r.VerifyEmail(t.Context(), inbox, "A3K9F2")
			for err, named := range map[error]error{register: tc.register, verify: tc.verify} {
				assert.Equal(t, tc.code, apiError(t, err).StatusCode)
				for _, e := range []error{ErrTooManyRegistrations, ErrWrongCode, ErrLockedOut} {
					assert.Equal(t, errors.Is(named, e), errors.Is(err, e), "%v", e)
				}
				for _, private := range []string{"Ops", "ops", "kyc.internal"} {
					assert.NotContains(t, err.Error(), private)
				}
			}
			assert.NotContains(t, register.Error(), password)
			assert.NotContains(t, verify.Error(), "A3K9F2")
		})
	}
}

func TestRegistrationsAreCheckedBeforeAnyCall(t *testing.T) {
	var calls atomic.Int32
	r := serveAccounts(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	for bad, why := range map[string]string{
		"": "address", "nobody": "address", "Jo <jo@kyc.internal>": "address", "a@b\r\nc.d": "address", "a@" + strings.Repeat("b", 260): "address",
		"a@example.com": "reserved", "a@x.example": "reserved", "a@mail.test": "reserved", "a@EXAMPLE.ORG": "reserved",
	} {
		err := r.Register(t.Context(), bad, password)
		require.ErrorIs(t, err, ErrInvalidArgument, bad)
		assert.ErrorContains(t, err, why)
		_, err = r.VerifyEmail(t.Context(), bad, "A3K9F2")
		require.ErrorIs(t, err, ErrInvalidArgument, bad)
	}
	for bad, why := range map[string]string{
		"Sh0rt!": "8 characters", "alllower1!": "upper", "ALLUPPER1!": "lower", "NoDigits!!": "digit", "NoSpecial1": "none of", "Spa ce 1aA": "none of",
	} {
		err := r.Register(t.Context(), inbox, bad)
		require.ErrorIs(t, err, ErrInvalidArgument, bad)
		require.ErrorContains(t, err, why)
		assert.NotContains(t, err.Error(), bad)
	}
	for _, bad := range []string{"", "12345", "1234567", "12 456", "A3K9F\n"} {
		_, err := r.VerifyEmail(t.Context(), inbox, bad)
		require.ErrorIs(t, err, ErrInvalidArgument, bad)
	}
	assert.Zero(t, calls.Load())
}

func TestARegistrationWithoutAKeyIsABadResponse(t *testing.T) {
	for _, body := range []string{"", "{}", "<html>", `{"application":{"api_key":"a b"}}`, `{"application":{"api_key":5}}`, `{"application":null}`} {
		_, err := serveAccounts(t, answerWith(200, body)).VerifyEmail(t.Context(), inbox, "A3K9F2")
		require.ErrorIs(t, err, ErrBadResponse, body)
	}
}

func FuzzRegistration(f *testing.F) {
	f.Add([]byte(`{"expires_in":86400,"application":{"api_key":"k"}}`))
	f.Add([]byte(`{"expires_in":-1e99,"application":{"api_key":"k"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var w wireRegistration
		err := decode("verify e-mail", body, &w)
		r, bad := w.registration("verify e-mail")
		if err = cmp.Or(err, bad); err != nil {
			require.ErrorIs(t, err, ErrBadResponse)
			return
		}
		assert.True(t, r.APIKey != "" && isPrintable(r.APIKey.Reveal()) && r.AccessTokenLife >= 0)
	})
}
