package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/doctor"
)

const destinationLabel = "didit-temporal"

const tunnel = `Didit calls from the internet, over HTTPS: put TLS or a load balancer in front of
the webhook. To try it from this machine, run a tunnel (for example
"cloudflared tunnel --url http://localhost:8080" or "ngrok http 8080") and give the
https address that it prints, with /webhooks/didit behind it`

// checkWebhookURL refuses, before anything is done, what Didit would refuse or could not reach.
func checkWebhookURL(target string, real bool) error {
	u, err := url.Parse(target)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return errors.New("--url is not an absolute URL: want https://HOST" + doctor.WebhookPath)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("--url has a user, a query or a fragment: want https://HOST" + doctor.WebhookPath)
	case strings.Trim(u.Path, "/") == "":
		return errors.New("--url has no path: the webhook listens at https://HOST" + doctor.WebhookPath)
	case real && u.Scheme != "https":
		return errors.New("--url is plain http\n" + tunnel)
	case real && !public(u.Hostname()):
		return errors.New("--url is on this machine or in a private network\n" + tunnel)
	}
	return nil
}

// public reports whether the internet may know a host.
func public(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost") && !strings.HasSuffix(host, ".local")
}

// destination makes or completes the webhook destination of --url and keeps its secret.
func (s *diditSetup) destination(ctx context.Context) error {
	if s.o.url == "" {
		s.say("webhook destination: left alone, since no --url was given")
		if have := s.getenv("DIDIT_WEBHOOK_SECRETS"); have != "" && s.file.Get("DIDIT_WEBHOOK_SECRETS") == "" {
			return s.keep("DIDIT_WEBHOOK_SECRETS", have, "from the environment")
		}
		return nil
	}
	if s.get("DIDIT_WEBHOOK_SECRETS_FILE") != "" {
		return fmt.Errorf("DIDIT_WEBHOOK_SECRETS_FILE is set, which this command does not write: remove it to keep the secrets in %s, "+
			"or make the destination in %s and put its secret into that file", s.file.Path(), console)
	}
	if u, err := url.Parse(s.o.url); err == nil && u.Path != doctor.WebhookPath {
		s.say("note: the webhook listens at %s; a proxy must route %s there", doctor.WebhookPath, u.Path)
	}
	d, err := s.findOrCreate(ctx)
	if err != nil {
		return err
	}
	return s.keepSecret(d)
}

func (s *diditSetup) findOrCreate(ctx context.Context) (didit.Destination, error) {
	found, err := s.findDestination(ctx)
	if err != nil || found != nil {
		return s.complete(ctx, found, err)
	}
	d, err := s.api.CreateDestination(ctx, didit.CreateDestinationRequest{
		Label: destinationLabel, URL: s.o.url, Enabled: true, Version: didit.WebhookVersion, Events: []string{didit.EventStatusUpdated},
	})
	if err == nil {
		s.say("webhook destination: made for %s", s.o.url)
		return d, nil
	}
	// The answer may be lost, or another run faster: the list shows whether it was made.
	if found, again := s.findDestination(ctx); again == nil && found != nil {
		return s.complete(ctx, found, nil)
	}
	return d, s.refused("make the webhook destination", err)
}

// findDestination returns nil if there is none for the URL.
func (s *diditSetup) findDestination(ctx context.Context) (*didit.Destination, error) {
	all, err := s.api.ListDestinations(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if doctor.SameURL(d.URL, s.o.url) {
			return &d, nil
		}
	}
	return nil, nil
}

// complete changes of an existing destination only what is missing, and returns it with its secret.
func (s *diditSetup) complete(ctx context.Context, d *didit.Destination, err error) (didit.Destination, error) {
	if err != nil {
		return didit.Destination{}, s.refused("list the webhook destinations", err)
	}
	change, what := missingOf(*d)
	if len(what) == 0 {
		s.say("webhook destination: there is one for %s, and it is right", d.URL)
	} else {
		if _, err := s.api.UpdateDestination(ctx, d.ID, change); err != nil && !errors.Is(err, didit.ErrBadResponse) {
			return *d, s.refused("complete the webhook destination", err)
		}
		s.say("webhook destination: there was one for %s; now it is %s", d.URL, strings.Join(what, ", "))
	}
	full, err := s.api.GetDestination(ctx, d.ID)
	if errors.Is(err, didit.ErrBadResponse) {
		return *d, fmt.Errorf("the destination of %s is ready, but Didit does not show its secret to this key: "+
			"add it from %s to DIDIT_WEBHOOK_SECRETS in %s", d.URL, console, s.file.Path())
	}
	if err != nil {
		return *d, s.refused("read the webhook destination", err)
	}
	return full, nil
}

// missingOf keeps every event that is there: others may want them.
func missingOf(d didit.Destination) (change didit.UpdateDestinationRequest, what []string) {
	if !d.Enabled {
		change.Enabled = new(true)
		what = append(what, "enabled")
	}
	if d.Version != didit.WebhookVersion {
		change.Version = new(didit.WebhookVersion)
		what = append(what, "of version "+didit.WebhookVersion)
	}
	if !slices.Contains(d.Events, didit.EventStatusUpdated) {
		change.Events = append(slices.Clone(d.Events), didit.EventStatusUpdated)
		what = append(what, "subscribed to "+didit.EventStatusUpdated)
	}
	return change, what
}

// keepSecret adds the secret to those in the file: an older one stays good until the operator takes it out.
func (s *diditSetup) keepSecret(d didit.Destination) error {
	const name = "DIDIT_WEBHOOK_SECRETS"
	secret := d.Secret.Reveal()
	if secret == "" || strings.ContainsAny(secret, ", \t") {
		return fmt.Errorf("the secret of the destination cannot be kept in a list: put it into the file that %s_FILE names", name)
	}
	var kept []string
	for one := range strings.SplitSeq(s.get(name), ",") {
		switch one = strings.TrimSpace(one); {
		case one == "":
		case s.tooPublic(one):
			s.say("%s: the simulator's public secret is taken out, since this is live", name)
		default:
			kept = append(kept, one)
		}
	}
	if slices.Contains(kept, secret) {
		return s.keep(name, strings.Join(kept, ","), "the destination's is already there")
	}
	note := "the destination's secret"
	if len(kept) > 0 {
		note = fmt.Sprintf("the destination's secret is added to the %d there; take old ones out when nothing is signed with them any more", len(kept))
	}
	return s.keep(name, strings.Join(append(kept, secret), ","), note)
}

// tooPublic reports the secret of .env.example, which the webhook refuses when it is live.
func (s *diditSetup) tooPublic(secret string) bool {
	environment := strings.ToLower(s.get("DIDIT_ENVIRONMENT"))
	return strings.HasPrefix(secret, "simulator-") && (environment == "" || environment == string(config.Live))
}
