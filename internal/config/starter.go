package config

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"unicode"

	"didit-temporal/kyc/codec"
)

// Starter is what `starter serve` needs. The other commands of the starter need no settings but Temporal's.
type Starter struct {
	Addr string
	// Tokens are all accepted, so that one can be replaced without turning a caller away.
	Tokens      []Token
	Environment Environment
	// ReturnSchemes are those of links of apps that may be return URLs, beside http and https.
	ReturnSchemes []string

	PayloadKeys codec.Keys // those of the worker

	Observe   Observe
	LogLevel  slog.Level
	LogFormat LogFormat
}

// Token lets a caller of the API in. Several may have one name while one replaces another.
type Token struct {
	Name  string
	Value Secret
}

// ForStarter reads the settings of `starter serve`. On an error the struct is incomplete and must not be used.
func ForStarter(getenv Getenv) (Starter, error) {
	e := newEnv(getenv)
	s := Starter{
		Addr:          e.address("STARTER_ADDR"),
		Tokens:        e.tokens("STARTER_TOKENS", "name:token for each caller, separated by commas; make a token with `openssl rand -hex 24`"),
		Environment:   e.environment(),
		ReturnSchemes: e.schemes("RETURN_URL_SCHEMES"),
		Observe:       e.observe(metricsOfStarter),
		LogLevel:      e.logLevel(),
		LogFormat:     e.logFormat(),
	}
	s.PayloadKeys = e.payloadKeys(s.Environment)
	if s.Environment == Live {
		e.refusePublic("STARTER_TOKENS", s.Tokens)
	}
	return s, errors.Join(e.errs...)
}

// scheme is that of a link, without the colon.
var scheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]{1,63}$`)

// schemes reads schemes, separated by commas.
func (e *env) schemes(name string) []string {
	v := e.text(name)
	if v == "" {
		return nil
	}
	all := strings.Split(v, ",")
	for i, one := range all {
		all[i] = strings.TrimSpace(one)
		if !scheme.MatchString(all[i]) {
			e.fail(name, "has no scheme at place %d: want such as myapp, without ://, in small letters", i+1)
		}
	}
	return all
}

// callerName is that of a caller, which every line of its requests in the log repeats.
var callerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// tokens reads name:token entries, separated by commas. Mistakes name the place: neither part is repeated, for
// somebody will put the token first.
func (e *env) tokens(name, hint string) []Token {
	v := e.secretText(name, hint)
	if v == "" {
		return nil
	}
	var all []Token
	places := map[string]int{}
	for i, one := range strings.Split(v, ",") {
		t, ok := e.token(name, hint, i+1, strings.TrimSpace(one))
		if !ok {
			continue
		}
		if at := places[t.Value.Reveal()]; at > 0 {
			e.fail(name, "has one token at places %d and %d: want one for each entry, or nobody can tell who calls", at, i+1)
			continue
		}
		places[t.Value.Reveal()] = i + 1
		all = append(all, t)
	}
	return all
}

func (e *env) token(name, hint string, number int, entry string) (Token, bool) {
	who, token, both := strings.Cut(entry, ":")
	switch {
	case entry == "":
		e.fail(name, "has an empty entry at place %d: remove the extra comma", number)
		return Token{}, false
	case !both || token == "":
		e.fail(name, "has no name:token at place %d: want one, such as shop:TOKEN (%s)", number, hint)
		return Token{}, false
	case !callerName.MatchString(who):
		e.fail(name, "has a name at place %d that is not 1 to 64 letters, digits, '.', '_' or '-'", number)
		return Token{}, false
	case strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII }):
		e.fail(name, "has a token at place %d that no HTTP header can carry: want ASCII only", number)
		return Token{}, false
	}
	t := Token{Name: who, Value: e.listed(name, hint, number, token)}
	return t, t.Value.value != nil
}

// refusePublic reports tokens that everybody can read in the repository.
func (e *env) refusePublic(name string, tokens []Token) {
	for i, t := range tokens {
		if strings.HasPrefix(t.Value.Reveal(), simulated) {
			e.fail(name, "has the simulator's public token at place %d: want one of your own, or DIDIT_ENVIRONMENT=%s", i+1, Sandbox)
		}
	}
}
