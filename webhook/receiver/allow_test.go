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
		"no list":                              {nil, nil, "203.0.113.9:1", nil, 200},
		"Didit itself":                         {didits, nil, "18.203.201.92:4711", nil, 200},
		"Didit, as IPv6 writes it":             {didits, nil, "[::ffff:18.203.201.92]:4711", nil, 200},
		"another sender":                       {didits, nil, "203.0.113.9:1", nil, 403},
		"another sender, with Didit's address": {didits, nil, "203.0.113.9:1", []string{"18.203.201.92"}, 403},
		"Didit, behind the proxy":              {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92"}, 200},
		"Didit, behind two proxies":            {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92, 10.9.9.9"}, 200},
		"another sender behind the proxy":      {didits, proxy, "10.1.2.3:1", []string{"203.0.113.9"}, 403},
		"a forged header behind the proxy":     {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92, 203.0.113.9"}, 403},
		"a tale in a second header":            {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92", "203.0.113.9"}, 403},
		"past the proxy, with a tale":          {didits, proxy, "203.0.113.9:1", []string{"18.203.201.92"}, 403},
		"the proxy says nothing":               {didits, proxy, "10.1.2.3:1", nil, 403},
		"the proxy says nonsense":              {didits, proxy, "10.1.2.3:1", []string{"localhost"}, 403},
		"with a port, as Azure's gateway":      {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92:41234"}, 200},
		"IPv6 with a port":                     {networks("2001:db8::/32"), proxy, "10.1.2.3:1", []string{"[2001:db8::1]:443"}, 200},
		"IPv6 in brackets":                     {networks("2001:db8::/32"), proxy, "10.1.2.3:1", []string{"[2001:db8::1]"}, 200},
		"IPv6":                                 {networks("2001:db8::/32"), proxy, "10.1.2.3:1", []string{"2001:db8::1"}, 200},
		"IPv4 in IPv6, with a port":            {didits, proxy, "10.1.2.3:1", []string{"[::ffff:18.203.201.92]:9"}, 200},
		"two proxies with ports":               {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92:5 , 10.9.9.9:6"}, 200},
		"a stranger with a port":               {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92:5, 203.0.113.9:6"}, 403},
		"an empty last entry":                  {didits, proxy, "10.1.2.3:1", []string{"18.203.201.92,"}, 403},
		"a name with a port":                   {didits, proxy, "10.1.2.3:1", []string{"didit.me:443"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, Now: clock})
			require.NoError(t, err)
			taken := 0
			r := receiver.New(receiver.Options{
				Verifier: v, Environment: didit.EnvironmentLive, MaxBody: maxBody, Log: slog.New(slog.DiscardHandler),
				AllowFrom: tc.allow, TrustedProxies: tc.proxies,
				Deliverer: deliverer(func(context.Context, string, kyc.DiditEvent, kyc.Origin) (kyc.DeliverResult, error) {
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

// An operator must see which address he has to put on the list.
func TestARefusalByAddressNamesTheAddress(t *testing.T) {
	for name, tc := range map[string]struct {
		peer, forwarded, want string
	}{
		"the peer":         {"203.0.113.9:1", "18.203.201.92", "sender=203.0.113.9"},
		"behind the proxy": {"10.1.2.3:1", "203.0.113.9:77", "sender=203.0.113.9"},
		"no header":        {"10.1.2.3:1", "", `sender="(none in X-Forwarded-For)"`},
		"nonsense":         {"10.1.2.3:1", "PERSONAL", `sender="(unreadable in X-Forwarded-For)"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil, func(o *receiver.Options) {
				o.AllowFrom, o.TrustedProxies = networks("18.203.201.92/32"), networks("10.0.0.0/8")
			})
			req := signed(approval(nil))
			req.RemoteAddr = tc.peer
			if tc.forwarded != "" {
				req.Header.Set("X-Forwarded-For", tc.forwarded)
			}
			assert.Equal(t, http.StatusForbidden, s.post(req).Code)
			assert.Contains(t, s.log.String(), tc.want)
			assert.NotContains(t, s.log.String(), "PERSONAL")
		})
	}
}
