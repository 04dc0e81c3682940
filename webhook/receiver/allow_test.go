package receiver_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

func networks(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestOnlyTheSendersOfTheListAreListenedTo(t *testing.T) {
	didits := networks("18.203.201.92/32")
	proxy := networks("10.0.0.0/8")
	for name, tc := range map[string]struct {
		allow, proxies []netip.Prefix
		peer           string
		forwarded      []string
		want           int
	}{
		"no list":                             {nil, nil, "203.0.113.9:1", nil, 200},
		"Didit itself":                        {didits, nil, "18.203.201.92:4711", nil, 200},
		"Didit, as IPv6 writes it":            {didits, nil, "[::ffff:18.203.201.92]:4711", nil, 200},
		"somebody else":                       {didits, nil, "203.0.113.9:1", nil, 403},
		"somebody who says he is Didit":       {didits, nil, "203.0.113.9:1", []string{"18.203.201.92"}, 403},
		"Didit, behind the proxy":             {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92"}, 200},
		"Didit, behind two proxies":           {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92, 10.9.9.9"}, 200},
		"somebody else behind the proxy":      {didits, proxy, "10.1.2.3:1", []string{"203.0.113.9"}, 403},
		"somebody who tells the proxy a tale": {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92, 203.0.113.9"}, 403},
		"a tale in a second header":           {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92", "203.0.113.9"}, 403},
		"past the proxy, with a tale":         {didits, proxy, "203.0.113.9:1", []string{"18.203.201.92"}, 403},
		"the proxy says nothing":              {didits, proxy, "10.1.2.3:1", nil, 403},
		"the proxy says nonsense":             {didits, proxy, "10.1.2.3:1", []string{"localhost"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Now: clock})
			require.NoError(t, err)
			taken := 0
			r := receiver.New(receiver.Options{
				Verifier: v, Environment: didit.EnvironmentLive, MaxBody: maxBody, Log: slog.New(slog.DiscardHandler),
				AllowFrom: tc.allow, TrustedProxies: tc.proxies,
				Deliverer: deliverer(func(context.Context, string, kyc.DiditEvent, bool) (kyc.Delivery, error) {
					taken++
					return kyc.DeliveredSignal, nil
				}),
			})
			req := signed(approval(nil))
			req.RemoteAddr = tc.peer
			for _, f := range tc.forwarded {
				req.Header.Add("X-Forwarded-For", f)
			}
			w := (&site{handler: r.Handler()}).post(req)
			assert.Equal(t, tc.want, w.Code)
			assert.Equal(t, tc.want == http.StatusOK, taken == 1)
			if tc.want == http.StatusForbidden {
				assert.EqualValues(t, 1, r.Counts()[receiver.NotAllowed])
			}
		})
	}
}
