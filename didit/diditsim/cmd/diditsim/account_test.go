package main

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
)

func TestAnAccountIsOpenedWithTheLoggedCode(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &lockedBuffer{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-api-key", "hidden"}, environment(nil), out)
	}()
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d{2,}`)
	require.Eventually(t, func() bool { return base.MatchString(out.String()) }, 5*time.Second, time.Millisecond)
	url := base.FindString(out.String())
	accounts, err := didit.NewRegistrar(didit.RegistrarOptions{BaseURL: url + "/auth/v2"})
	require.NoError(t, err)
	require.NoError(t, accounts.Register(ctx, "ops@kyc.internal", "Str0ng!Enough"))
	code := regexp.MustCompile(`code=(\w{6})`).FindStringSubmatch(out.String())
	require.Len(t, code, 2)
	account, err := accounts.VerifyEmail(ctx, "ops@kyc.internal", code[1])
	require.NoError(t, err)
	api, err := didit.NewClient(didit.ClientOptions{BaseURL: url, APIKey: account.APIKey.Reveal()})
	require.NoError(t, err)
	_, err = api.Flows(ctx)
	require.NoError(t, err, "its key is good beside the one that was given")
	stop()
	assert.NoError(t, <-ended)
	assert.NotContains(t, out.String(), "kyc.internal")
}
