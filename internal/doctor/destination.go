package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"didit-temporal/didit"
)

// destinations checks the destination of PublicURL, or all with our path.
func (e *checker) destinations(ctx context.Context, c *didit.Client) {
	all, err := c.ListDestinations(ctx)
	if err != nil {
		e.undecided(checkDestination, "read webhook destinations", err)
		e.skip("no destination was read", checkSecret)
		return
	}
	ours := slices.DeleteFunc(slices.Clone(all), func(d didit.Destination) bool { return !e.isOurs(d) })
	if len(ours) == 0 {
		target := cmp.Or(e.PublicURL, "https://HOST"+WebhookPath)
		e.fail(checkDestination, fmt.Sprintf("none of the %d at Didit is for %s", len(all), target),
			"`starter setup didit --url "+target+"` makes it; without it no webhook arrives, and verdicts are late")
		e.skip("there is no destination", checkSecret)
		return
	}
	for _, d := range ours {
		e.destination(d)
		e.secret(ctx, c, d)
	}
}

func (e *checker) isOurs(d didit.Destination) bool {
	if e.PublicURL != "" {
		return SameURL(d.URL, e.PublicURL)
	}
	u, err := url.Parse(d.URL)
	return err == nil && u.Path == WebhookPath
}

func (e *checker) destination(d didit.Destination) {
	var wrong []string
	if !d.Enabled {
		wrong = append(wrong, "is disabled")
	}
	if !slices.Contains(d.Events, didit.EventStatusUpdated) {
		wrong = append(wrong, "is not subscribed to "+didit.EventStatusUpdated)
	}
	if d.Version != didit.WebhookVersion {
		wrong = append(wrong, fmt.Sprintf("has version %s, want %s", cmp.Or(d.Version, "unknown"), didit.WebhookVersion))
	}
	switch {
	case len(wrong) > 0:
		e.fail(checkDestination, d.URL+" "+strings.Join(wrong, ", "), "`starter setup didit --url "+d.URL+"` fixes that and keeps its other events")
	case d.Deliveries > 0 && d.Failed == d.Deliveries:
		e.warn(checkDestination, fmt.Sprintf("%s has failed all its %d deliveries", d.URL, d.Deliveries),
			"see the answers in Didit's console, API & Webhooks; let 18.203.201.92 through the firewall, and run this with --url")
	default:
		e.ok(checkDestination, d.URL)
	}
}

// secret compares what Didit signs with and what the webhook verifies with, where one machine has both.
func (e *checker) secret(ctx context.Context, c *didit.Client, d didit.Destination) {
	if !e.wants("webhook") || len(e.hook.Secrets) == 0 {
		e.skip("there are no usable DIDIT_WEBHOOK_SECRETS here to compare with", checkSecret)
		return
	}
	full, err := c.GetDestination(ctx, d.ID)
	switch {
	case errors.Is(err, didit.ErrBadResponse):
		e.skip("Didit does not show the secret of "+d.URL+" to this key", checkSecret)
		return
	case err != nil:
		e.undecided(checkSecret, "read the destination's secret", err)
		return
	}
	for i, s := range e.hook.Secrets {
		if s.Reveal() == full.Secret.Reveal() {
			e.ok(checkSecret, fmt.Sprintf("that of %s is number %d of %d", d.URL, i+1, len(e.hook.Secrets)))
			return
		}
	}
	e.fail(checkSecret, fmt.Sprintf("that of %s is not among DIDIT_WEBHOOK_SECRETS: its webhooks get 403 and are lost", d.URL),
		"`starter setup didit --url "+d.URL+"` adds it; then start the webhook again")
}

// fromOutside sends the signed test event to the public URL as it is, byte by byte, and follows no redirect: Didit does not. The
// result may differ from what Didit sees.
func (e *checker) fromOutside(ctx context.Context) {
	u, err := url.Parse(e.PublicURL)
	switch {
	case e.PublicURL == "":
		e.skip("give --url https://HOST"+WebhookPath+" to call it", checkPublic)
		return
	case err != nil, u.Host == "":
		e.fail(checkPublic, "--url is not an absolute URL", "want https://HOST"+WebhookPath)
		return
	case !e.wants("webhook"), len(e.hook.Secrets) == 0, e.hook.Environment == "":
		e.skip("there are no usable settings of the webhook here to sign with", checkPublic)
		return
	}
	a, err := e.deliver(ctx, e.PublicURL, e.hook.Secrets[0].Reveal(), 0)
	found := fmt.Sprintf("%s answers %d to a signed test event", e.PublicURL, a.code)
	switch {
	case err != nil:
		e.fail(checkPublic, fmt.Sprintf("%s does not answer: %v", e.PublicURL, err), howToCall(err, "--url"))
	case a.code == http.StatusOK && strings.Contains(string(a.body), "received"):
		e.ok(checkPublic, found)
	case a.code == http.StatusOK:
		e.fail(checkPublic, found+", but not as our webhook does: Didit counts that as delivered", "route the host to the webhook process (docs/operations/proxies.md)")
	case a.code/100 == 3:
		e.fail(checkPublic, found+": Didit follows no redirect, so every webhook is lost", "use the address that does not redirect, at Didit and here; it ends with "+WebhookPath)
	case a.code == http.StatusNotFound:
		e.fail(checkPublic, found+": every webhook is lost", "correct the path, at Didit and here: it ends with "+WebhookPath+", without a slash behind it")
	case a.code == http.StatusForbidden && strings.Contains(string(a.body), "not on the list"):
		e.skip("the webhook accepts events from WEBHOOK_ALLOW_FROM only, and this machine is not in it", checkPublic)
	default:
		e.fail(checkPublic, found, "see `"+checkHook+"` below, and the logs of the webhook and of the proxy in front of it")
	}
}

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
