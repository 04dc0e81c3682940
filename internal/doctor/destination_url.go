package doctor

import (
	"net/url"
	"strings"
)

// WebhookPath is where the webhook process listens for Didit.
const WebhookPath = "/webhooks/didit"

// SameURL reports whether two URLs lead to the same place, however their hosts are written.
func SameURL(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	if errA != nil || errB != nil {
		return a == b
	}
	return canonicalURL(ua) == canonicalURL(ub)
}

func canonicalURL(u *url.URL) string {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + host + ":" + port + u.EscapedPath() + "?" + u.RawQuery
}
