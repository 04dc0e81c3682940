package diditsim

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Rules of the account API (https://docs.didit.me/auth-api/register, https://docs.didit.me/auth-api/verify-email). A code
// lives for 10 minutes in Didit's MCP server, for 15 on a page: the shorter time is the harder case.
const (
	maxRegistrations = 5
	perRegistrations = time.Hour
	codeLifetime     = 10 * time.Minute
	resendCooldown   = time.Minute
)

// lockouts are for how long an account is locked after so many wrong codes. Didit documents the ladder for logins.
var lockouts = map[int]time.Duration{5: 15 * time.Minute, 10: time.Hour, 20: 24 * time.Hour}

// account waits for its code, or has an application.
type account struct {
	code     string // empty once it is used
	sentAt   time.Time
	password [sha256.Size]byte // hashed
	wrong    int               // codes or passwords in a row
	locked   time.Time
	app      *application // nil before the code is verified
	token    string       // of the newest login
}

// LastCode returns the newest code that was sent to an address, as long as it can be used.
func (s *Server) LastCode(email string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[strings.ToLower(email)]
	if a == nil || a.code == "" || s.opts.Now().Sub(a.sentAt) > codeLifetime {
		return "", false
	}
	return a.code, true
}

type registerBody struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Code     string `json:"code"`
}

// undeliverable are the domains to which Didit cannot send a code.
var undeliverable = regexp.MustCompile(`(?i)[@.](example\.(com|net|org)|test|example|invalid)$`)

// register is POST /programmatic/register/. No mail is sent: LastCode returns the code, and the log shows it. Every call
// counts against the limit of its address. Didit does not document its answer to a known address.
func (s *Server) register(_ *Server, r *http.Request, b registerBody) *answer {
	now := s.opts.Now()
	if wait := s.tooSoon(r, now); wait > 0 {
		return tooMany("Too many registrations. Try again later.", wait)
	}
	parsed, err := mail.ParseAddress(b.Email)
	switch {
	case err != nil || parsed.Address != b.Email:
		return invalid("email", "Enter a valid email address.")
	case weakness(b.Password) != "":
		return invalid("password", weakness(b.Password))
	case undeliverable.MatchString(b.Email):
		return detail(http.StatusInternalServerError, "Internal server error.")
	}
	key := strings.ToLower(b.Email)
	a := cmp.Or(s.accounts[key], &account{})
	if a.app != nil {
		return invalid("email", "An account with this email already exists.")
	}
	s.accounts[key] = a
	a.password = sha256.Sum256([]byte(b.Password))
	s.mail(a)
	return created(map[string]string{
		"message": "Registration successful. Check your email for the verification code.", "email": b.Email,
	})
}

// tooSoon counts a registration, or returns how long its sender must wait.
func (s *Server) tooSoon(r *http.Request, now time.Time) time.Duration {
	from := addressOf(r)
	recent := slices.DeleteFunc(s.registrations[from], func(at time.Time) bool { return now.Sub(at) >= perRegistrations })
	if len(recent) >= maxRegistrations {
		return recent[0].Add(perRegistrations).Sub(now)
	}
	s.registrations[from] = append(recent, now)
	return 0
}

// mail creates a new code of Didit's form: six letters and digits.
func (s *Server) mail(a *account) {
	a.code, a.sentAt = rand.Text()[:6], s.opts.Now()
	s.opts.Logger.Info("registration: this code would be sent", "code", a.code)
}

// resendCode is POST /programmatic/resend-otp/ for an address that waits for its code, once a minute.
func (s *Server) resendCode(_ *Server, _ *http.Request, b registerBody) *answer {
	a := s.accounts[strings.ToLower(b.Email)]
	if a == nil || a.app != nil {
		return detail(http.StatusBadRequest, "No pending registration for this email.")
	}
	if wait := a.sentAt.Add(resendCooldown).Sub(s.opts.Now()); wait > 0 {
		return tooMany("Please wait before requesting another code.", wait)
	}
	s.mail(a)
	return ok(map[string]string{"message": "Verification code sent."})
}

// verifyEmail is POST /programmatic/verify-email/. It creates the application and answers with its key. That a wrong
// code is a 400 and a lockout a 429 is our choice: Didit documents neither.
func (s *Server) verifyEmail(_ *Server, _ *http.Request, b registerBody) *answer {
	wrong := detail(http.StatusBadRequest, "Invalid or expired code.")
	return s.unlock(b, wrong, func(a *account) bool {
		fits := subtle.ConstantTimeCompare([]byte(a.code), []byte(strings.ToUpper(b.Code))) == 1
		if a.code == "" || !fits || s.opts.Now().Sub(a.sentAt) > codeLifetime {
			return false
		}
		a.code, a.app = "", newApplication()
		s.apps[a.app.key] = a.app
		return true
	})
}

// login is POST /programmatic/login/ (https://docs.didit.me/auth-api/login). Its answer has no key.
func (s *Server) login(_ *Server, _ *http.Request, b registerBody) *answer {
	wrong := detail(http.StatusUnauthorized, "Invalid credentials.")
	got := s.unlock(b, wrong, func(a *account) bool {
		given := sha256.Sum256([]byte(b.Password))
		return a.app != nil && subtle.ConstantTimeCompare(given[:], a.password[:]) == 1
	})
	if all, ok := got.body.(map[string]any); ok {
		delete(all, "organization")
		delete(all, "application")
	}
	return got
}

// unlock answers with the tokens of an account that fits, and counts those that do not.
func (s *Server) unlock(b registerBody, wrong *answer, fits func(*account) bool) *answer {
	now := s.opts.Now()
	a := s.accounts[strings.ToLower(b.Email)]
	if a == nil {
		return wrong
	}
	if now.Before(a.locked) {
		return tooMany("Too many attempts. Try again later.", a.locked.Sub(now))
	}
	if !fits(a) {
		a.wrong++
		a.locked = now.Add(lockouts[a.wrong])
		return wrong
	}
	a.wrong, a.token = 0, randomText(48)
	return ok(map[string]any{
		"access_token": a.token, "refresh_token": randomText(48), "expires_in": 86400,
		"organization": a.app.owner(), "application": a.app.shown(),
	})
}

// weakness returns the first rule that a password breaks, in Didit's words; empty if there is none.
func weakness(p string) string {
	for _, rule := range []struct{ want, says string }{
		{`.{8}`, "Must have at least 8 characters."},
		{`[A-Z]`, "Must contain an uppercase letter."},
		{`[a-z]`, "Must contain a lowercase letter."},
		{`[0-9]`, "Must contain a digit."},
		{`[!@#$%^&*()_+\-=\[\]{}|;:,.<>?]`, "Must contain a special character."},
	} {
		if ok, _ := regexp.MatchString(rule.want, p); !ok {
			return rule.says
		}
	}
	return ""
}
