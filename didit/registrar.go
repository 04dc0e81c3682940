package didit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"
)

// DefaultAccountURL is the base of Didit's account API, another host than that of verifications
// (https://docs.didit.me/integration/programmatic-registration).
const DefaultAccountURL = "https://apx.didit.me/auth/v2"

// Errors of a Registrar. Each wraps the *APIError that Didit sent. Didit does not document the statuses of its refusals: we
// give them their HTTP meaning.
var (
	// ErrTooManyRegistrations is a 429: Didit takes five registrations in an hour from one address.
	ErrTooManyRegistrations = errors.New("didit: too many registrations from this address; wait an hour")
	// ErrWrongCode is a 400, 401, 404 or 410: the code is wrong, used or older than its ten minutes, or no registration
	// waits for one. ResendCode sends another.
	ErrWrongCode = errors.New("didit: wrong or expired code")
	// ErrLockedOut is a 403, 423 or 429: too many wrong codes or passwords. Didit locks for 15 minutes after 5, an hour
	// after 10 and a day after 20.
	ErrLockedOut = errors.New("didit: too many wrong codes or passwords; wait")
	// ErrTooSoon is a 429 of ResendCode: Didit sends one code a minute.
	ErrTooSoon = errors.New("didit: another code was sent less than a minute ago; wait")
)

// RegistrarOptions configures a Registrar.
type RegistrarOptions struct {
	// BaseURL is an absolute http(s) URL up to and with its version. Default DefaultAccountURL.
	BaseURL string
	// HTTPClient supplies its Transport only, as in ClientOptions.
	HTTPClient *http.Client
	// Timeout of one call, within the deadline of its context. Default 10 s.
	Timeout time.Duration
}

// Registrar opens an account with Didit, which takes two calls and the code from an e-mail. It needs no key. It is safe for
// concurrent use.
type Registrar struct{ c *Client }

// NewRegistrar returns a Registrar. An error says which option is wrong.
func NewRegistrar(o RegistrarOptions) (*Registrar, error) {
	c, err := newClient(ClientOptions{BaseURL: cmp.Or(o.BaseURL, DefaultAccountURL), HTTPClient: o.HTTPClient, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	return &Registrar{c}, nil
}

// Registration is a new account: its application and the keys to it. It does not print its secrets.
type Registration struct {
	APIKey           Sensitive // for ClientOptions.APIKey
	ClientID         string
	ApplicationID    string
	OrganizationID   string
	OrganizationName string
	AccessToken      Sensitive // of the account API, for AccessTokenLife
	RefreshToken     Sensitive
	AccessTokenLife  time.Duration
}

// Register asks for an account (https://docs.didit.me/auth-api/register). Didit sends a code of six characters to the
// address; VerifyEmail takes it within ten minutes. For an address that is not verified, a repeated call sends another code.
func (r *Registrar) Register(ctx context.Context, email, password string) error {
	k := accountCall("register", "register/", map[string]string{"email": email, "password": password})
	if why := badPassword(password); why != "" {
		k.invalid = "the password " + why
	}
	_, err := r.c.do(ctx, k)
	return limited(err, ErrTooManyRegistrations)
}

// ResendCode sends another code to an address that waits for one, at most once a minute. It does not count as a
// registration (the MCP server of Didit; the call has no page).
func (r *Registrar) ResendCode(ctx context.Context, email string) error {
	_, err := r.c.do(ctx, accountCall("resend the code", "resend-otp/", map[string]string{"email": email}))
	return limited(err, ErrTooSoon)
}

// VerifyEmail sends the code of Register, as it arrived, and returns the account
// (https://docs.didit.me/auth-api/verify-email). This answer has the keys; after an error that is not an *APIError the
// account may exist all the same: Recover finds its key.
func (r *Registrar) VerifyEmail(ctx context.Context, email, code string) (Registration, error) {
	k := accountCall("verify e-mail", "verify-email/", map[string]string{"email": email, "code": code})
	if !emailCode.MatchString(code) {
		k.invalid = "a code has six letters or digits"
	}
	w, err := send[wireRegistration](ctx, r.c, k)
	if e, ok := errors.AsType[*APIError](err); ok {
		return Registration{}, codeError(e)
	}
	if err != nil {
		return Registration{}, err
	}
	return w.registration(k.op)
}

// Recover returns the account of an address and password, with its key: it logs in and reads the organization and its
// application (https://docs.didit.me/auth-api/get-credentials). An account with several of either is ErrTooMany. A wrong password
// is an *APIError of 400 or 401, or ErrLockedOut.
func (r *Registrar) Recover(ctx context.Context, email, password string) (Registration, error) {
	k := accountCall("log in", "login/", map[string]string{"email": email, "password": password})
	got, err := send[wireRegistration](ctx, r.c, k)
	if err != nil {
		return Registration{}, limited(err, ErrLockedOut)
	}
	orgs := call{op: "list organizations", path: "/organizations/me/", bearer: got.AccessToken}
	if got.Organization, err = r.only(ctx, orgs); err != nil {
		return Registration{}, err
	}
	apps := call{op: "list applications", path: orgs.path + "%s/applications/", ids: []string{got.Organization.ID}, bearer: got.AccessToken}
	app, err := r.only(ctx, apps)
	if err != nil {
		return Registration{}, err
	}
	read := call{op: "get application", path: apps.path + "%s/", ids: []string{got.Organization.ID, app.ID}, bearer: got.AccessToken}
	if got.Application, err = send[wireEntry](ctx, r.c, read); err != nil {
		return Registration{}, err
	}
	return got.registration(read.op)
}

// only returns the one entry of a list that must have one.
func (r *Registrar) only(ctx context.Context, k call) (wireEntry, error) {
	_, all, err := readPage(ctx, r.c, k, func(e wireEntry) (wireEntry, error) { return e, nil })
	switch {
	case err != nil:
		return wireEntry{}, err
	case len(all) > 1:
		return wireEntry{}, fmt.Errorf("%w: %s: %d of them; take the key from the console", ErrTooMany, k.op, len(all))
	case len(all) == 0 || !isToken(all[0].ID):
		return wireEntry{}, badResponse(k.op, "no entry with a usable uuid")
	}
	return all[0], nil
}

// accountCall refuses an address that cannot get mail.
func accountCall(op, path string, body map[string]string) call {
	return call{
		op: op, method: http.MethodPost, path: "/programmatic/" + path, body: body,
		success: []int{http.StatusOK, http.StatusCreated}, invalid: badEmail(body["email"]),
	}
}

// limited wraps a 429 in its meaning.
func limited(err, meaning error) error {
	if e, ok := errors.AsType[*APIError](err); ok && e.StatusCode == http.StatusTooManyRequests {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}

func codeError(e *APIError) error {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: %w", ErrWrongCode, e)
	case http.StatusForbidden, http.StatusLocked, http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", ErrLockedOut, e)
	}
	return e
}

// wireEntry is an organization or an application.
type wireEntry struct {
	ID       string `json:"uuid"`
	Name     string `json:"name"`
	ClientID string `json:"client_id"`
	APIKey   string `json:"api_key"`
}

type wireRegistration struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	ExpiresIn    int64     `json:"expires_in"`
	Organization wireEntry `json:"organization"`
	Application  wireEntry `json:"application"`
}

func (w wireRegistration) registration(op string) (Registration, error) {
	if w.Application.APIKey == "" || !isPrintable(w.Application.APIKey) {
		return Registration{}, badResponse(op, "no usable api_key; the account exists, and the key is in the console")
	}
	const day = 24 * 60 * 60
	return Registration{
		APIKey: Sensitive(w.Application.APIKey), ClientID: w.Application.ClientID, ApplicationID: w.Application.ID,
		OrganizationID: w.Organization.ID, OrganizationName: w.Organization.Name,
		AccessToken: Sensitive(w.AccessToken), RefreshToken: Sensitive(w.RefreshToken),
		AccessTokenLife: time.Duration(min(max(w.ExpiresIn, 0), 365*day)) * time.Second,
	}, nil
}

var emailCode = regexp.MustCompile(`^[A-Za-z0-9]{6}$`)

// undeliverable are the reserved domains to which Didit fails to send a code, and answers 500.
var undeliverable = regexp.MustCompile(`(?i)[@.](example\.(com|net|org)|test|example|invalid)$`)

func badEmail(email string) string {
	a, err := mail.ParseAddress(email)
	switch {
	case err != nil || a.Address != email || len(email) > 254:
		return "not an e-mail address"
	case undeliverable.MatchString(email):
		return "the domain of the e-mail address is reserved: no code can arrive there"
	}
	return ""
}

// specials are the characters of which a password needs one (https://docs.didit.me/auth-api/register).
const specials = "!@#$%^&*()_+-=[]{}|;:,.<>?"

// badPassword returns what a password lacks, without quoting the password.
func badPassword(p string) string {
	within := func(lo, hi rune) func(rune) bool { return func(r rune) bool { return lo <= r && r <= hi } }
	switch {
	case len([]rune(p)) < 8:
		return "has fewer than 8 characters"
	case !strings.ContainsFunc(p, within('A', 'Z')):
		return "has no upper-case letter"
	case !strings.ContainsFunc(p, within('a', 'z')):
		return "has no lower-case letter"
	case !strings.ContainsFunc(p, within('0', '9')):
		return "has no digit"
	case !strings.ContainsAny(p, specials):
		return "has none of " + specials
	}
	return ""
}
