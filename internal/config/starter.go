package config

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"didit-temporal/kyc/codec"
)

// Starter is what `starter serve` needs. The other commands of the starter need no settings but Temporal's.
type Starter struct {
	Addr string
	// Tokens are all accepted, so that one can be replaced without refusing a caller.
	Tokens      []Token
	Environment Environment
	// ShutdownDelay is how long the process is not ready before its listener closes.
	ShutdownDelay time.Duration
	// ReturnSchemes are those of links of apps that may be return URLs, beside http and https.
	ReturnSchemes []string

	PayloadKeys codec.Keys // those of the worker

	Telemetry Telemetry
}

// Token authenticates a caller of the API. Several may have one name while one replaces another.
type Token struct {
	Name  string
	Value Secret
	// Scopes are what it may do; nil: everything. An entry without scopes has start and read.
	Scopes []string
	// Flows and ReturnHosts bound what it may start; nil: any.
	Flows, ReturnHosts []string
	// Starts and Polls are its shares of one process; 0: the default.
	Starts, Polls int
}

// ForStarter reads the settings of `starter serve`. On an error the struct is incomplete and must not be used.
func ForStarter(getenv Getenv) (Starter, error) {
	e := &env{get: getenv}
	s := Starter{
		Addr:          e.address("STARTER_ADDR"),
		Tokens:        e.tokens("STARTER_TOKENS", "name:token for each caller, separated by commas; make a token with `openssl rand -hex 24`"),
		Environment:   e.environment(),
		ShutdownDelay: e.duration("SHUTDOWN_DELAY", 0, maxShutdownDelay),
		ReturnSchemes: e.schemes("RETURN_URL_SCHEMES"),
		Telemetry:     e.traced(metricsOfStarter),
	}
	s.PayloadKeys = e.payloadKeys(s.Environment)
	if s.Environment == Live {
		values := make([]Secret, len(s.Tokens))
		for i, t := range s.Tokens {
			values[i] = t.Value
		}
		e.refuseSimulated("STARTER_TOKENS", "token", values)
	}
	return s, errors.Join(e.errs...)
}

// scheme is that of a link, without the colon.
var scheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]{1,63}$`)

func (e *env) schemes(name string) []string {
	all := e.list(name)
	for i, one := range all {
		if !scheme.MatchString(one) {
			e.fail(name, "has no scheme at place %d: want such as myapp, without ://, in small letters", i+1)
		}
	}
	return all
}

// callerName is the name of a caller, which every log line of its requests repeats.
var callerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// tokens reads name:token entries, separated by commas. Mistakes name the place and repeat neither part: an operator may
// put the token first.
func (e *env) tokens(name, hint string) (all []Token) {
	v := e.secretText(name, hint)
	if v == "" {
		return nil
	}
	places := map[string]int{}
	for i, one := range strings.Split(v, ",") {
		t := e.token(name, hint, i+1, strings.TrimSpace(one))
		if t.Value.value == nil {
			continue
		}
		if at := places[t.Value.Reveal()]; at > 0 {
			e.fail(name, "has one token at places %d and %d: want one for each entry, or the log cannot name the caller", at, i+1)
			continue
		}
		places[t.Value.Reveal()] = i + 1
		all = append(all, t)
	}
	return all
}

// token reads one entry. After a mistake its value is empty.
func (e *env) token(name, hint string, place int, entry string) (t Token) {
	entry, rights, _ := strings.Cut(entry, ";")
	who, token, both := strings.Cut(entry, ":")
	switch {
	case entry == "" && rights == "":
		e.fail(name, "has an empty entry at place %d: remove the extra comma", place)
	case !both || token == "":
		e.fail(name, "has no name:token at place %d: want one, such as shop:TOKEN (%s)", place, hint)
	case !callerName.MatchString(who):
		e.fail(name, "has a name at place %d that is not 1 to 64 letters, digits, '.', '_' or '-'", place)
	case strings.ContainsFunc(token, func(r rune) bool { return r > unicode.MaxASCII }):
		e.fail(name, "has a token at place %d that no HTTP header can carry: want ASCII only", place)
	default:
		t = Token{Name: who, Value: e.listed(name, hint, place, token), Scopes: []string{"start", "read"}}
		if rights != "" {
			e.rights(name, place, rights, &t)
		}
	}
	return t
}

// scopes are what a token may do (starter/api has the same names; a test compares).
var scopes = []string{"start", "read", "reverify", "decide", "erase"}

// host is a host of a return URL, without a port.
var host = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$`)

// rights reads what follows a token: key=value, separated by semicolons, with spaces between the values of a list.
func (e *env) rights(name string, place int, text string, t *Token) {
	for one := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(one), "=")
		list := strings.Fields(value)
		number, err := strconv.Atoi(strings.TrimSpace(value))
		whole := err == nil && number > 0 && number <= 100_000
		all := func(ok func(string) bool) bool {
			return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool { return !ok(s) })
		}
		switch {
		case key == "scopes" && all(oneOf(scopes...)):
			t.Scopes = list
		case key == "flows" && all(func(s string) bool { return uuid.Validate(s) == nil }):
			t.Flows = list
		case key == "hosts" && all(host.MatchString):
			t.ReturnHosts = list
		case key == "starts" && whole:
			t.Starts = number
		case key == "polls" && whole:
			t.Polls = number
		default:
			e.fail(name, "has an unknown right at place %d: want ;scopes=%s ;flows=UUID ... ;hosts=HOST ... ;starts=NUMBER ;polls=NUMBER, "+
				"with spaces between the values", place, strings.Join(scopes, " "))
		}
	}
}
