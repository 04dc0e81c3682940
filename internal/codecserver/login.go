package codecserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sessionLength is a working day.
const sessionLength = 12 * time.Hour

// cookieName is that of a session. A Web UI without a login has no token to send, but the browser sends the cookie when
// the UI is configured to include credentials.
const cookieName = "codec_session"

//go:embed login.html
var loginHTML string

var loginTemplate = template.Must(template.New("login").Parse(loginHTML))

// authenticated requires a token: a bearer token, or the session that /login made for one of our Web UIs.
func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(s.o.Tokens) == 0 || s.session(r) {
			next.ServeHTTP(w, r)
			return
		}
		right, slowed := s.bearer(r)
		if slowed {
			tooManyGuesses(w)
			return
		}
		if !right {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "no token: open /login of this server in the same browser, or send Authorization: Bearer", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) bearer(r *http.Request) (right, slowed bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return false, false
	}
	found, slowed := s.guess(r, token)
	return found != "", slowed
}

// guess returns the token that was sent, if it is one of ours. The token of a sender with too many wrong ones is not compared.
func (s *server) guess(r *http.Request, sent string) (found string, slowed bool) {
	from := sender(r)
	if slowed = !s.guesses.take(from); !slowed {
		found = s.tokenOf(sent)
	}
	if found != "" {
		s.guesses.giveBack(from)
		return found, false
	}
	s.o.Guessed(slowed)
	s.o.Log.Warn("a wrong token", "path", r.URL.Path, "from", r.RemoteAddr, "slowed", slowed)
	return "", slowed
}

func tooManyGuesses(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(guessPause.Seconds())))
	http.Error(w, "too many wrong tokens from this address: wait some seconds", http.StatusTooManyRequests)
}

// tokenOf returns the token that was sent, if it is one of ours. It compares all in constant time.
func (s *server) tokenOf(sent string) (found string) {
	want := sha256.Sum256([]byte(sent))
	for _, token := range s.o.Tokens {
		have := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(want[:], have[:]) == 1 {
			found = token
		}
	}
	return found
}

// session checks the cookie, which holds the end of the session and a proof that a token was shown: the server is
// stateless, any number of replicas may serve, and removing a token ends its sessions. fromOrigins has checked the origin; a
// cookie without one comes from no page of ours.
func (s *server) session(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	if err != nil || r.Header.Get("Origin") == "" {
		return false
	}
	end, proof, _ := strings.Cut(cookie.Value, ".")
	seconds, err := strconv.ParseInt(end, 10, 64)
	if err != nil || !s.o.Now().Before(time.Unix(seconds, 0)) {
		return false
	}
	valid := false
	for _, token := range s.o.Tokens {
		if hmac.Equal([]byte(proof), []byte(proofOf(token, end))) {
			valid = true
		}
	}
	return valid
}

func proofOf(token, end string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(cookieName + "\x00" + end))
	return hex.EncodeToString(mac.Sum(nil))
}

type loginView struct {
	Done, Wrong, Open bool
	Back              []string
}

func (s *server) loginPage(w http.ResponseWriter, _ *http.Request) {
	s.showLogin(w, http.StatusOK, loginView{Open: len(s.o.Tokens) == 0})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	token, slowed := s.guess(r, strings.TrimSpace(r.PostFormValue("token")))
	if slowed {
		tooManyGuesses(w)
		return
	}
	if token == "" {
		s.showLogin(w, http.StatusUnauthorized, loginView{Wrong: true})
		return
	}
	end := strconv.FormatInt(s.o.Now().Add(sessionLength).Unix(), 10)
	for _, path := range paths { // two cookies with narrow paths: cookies ignore ports, so one of "/" would go to the Web UI too
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // not Secure only where the Web UI itself has no TLS
			Name: cookieName, Value: end + "." + proofOf(token, end), Path: prefixOf(r) + path, MaxAge: int(sessionLength.Seconds()),
			HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
		})
	}
	s.showLogin(w, http.StatusOK, loginView{Done: true})
}

// prefixOf is the path below which a proxy serves us. It only narrows where the sender's own browser sends its cookie.
func prefixOf(r *http.Request) string {
	if prefix := r.Header.Get("X-Forwarded-Prefix"); prefixForm.MatchString(prefix) {
		return strings.TrimSuffix(prefix, "/")
	}
	return ""
}

var prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+/?$`)

func (s *server) showLogin(w http.ResponseWriter, status int, v loginView) {
	v.Back = s.o.Origins
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = loginTemplate.Execute(w, v) // fails only if the browser has gone
}
