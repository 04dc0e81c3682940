package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// env reads variables and collects what is wrong with them. A reader that fails returns the zero value and
// goes on, so that one look finds every mistake.
type env struct {
	get  Getenv
	errs []error
}

func newEnv(get Getenv) *env { return &env{get: get} }

// wrong notes a mistake: what the variable holds and what would be right. Never call it with a secret.
func (e *env) wrong(name, value, want string) {
	e.errs = append(e.errs, fmt.Errorf("%s=%q: want %s", name, value, want))
}

// fail notes a mistake whose value must not be shown.
func (e *env) fail(name, format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

// text returns the variable or the default that Variables documents.
func (e *env) text(name string) string {
	if v := strings.TrimSpace(e.get(name)); v != "" {
		return v
	}
	return defaultOf(name)
}

// need is text for a variable without a default.
func (e *env) need(name, hint string) string {
	v := e.text(name)
	if v == "" {
		e.fail(name, "is not set (%s)", hint)
	}
	return v
}

func (e *env) uuid(name, hint string) string {
	v := e.need(name, hint)
	if v == "" {
		return ""
	}
	// uuid.Parse also takes urn:uuid: and {}; Didit would refuse those.
	if _, err := uuid.Parse(v); err != nil || len(v) != 36 {
		// The value is not shown: the key that stands beside it in the console is pasted here by mistake.
		e.fail(name, "is not a UUID: want one such as 11111111-2222-4333-8444-555555555555 (%s)", hint)
		return ""
	}
	return v
}

func (e *env) integer(name string, low, high int) int {
	v := e.text(name)
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		e.wrong(name, v, fmt.Sprintf("a whole number from %d to %d", low, high))
		return 0
	}
	return n
}

func (e *env) duration(name string, low, high time.Duration) time.Duration {
	v := e.text(name)
	d, err := time.ParseDuration(v)
	if err != nil || d < low || d > high {
		e.wrong(name, v, fmt.Sprintf("a duration from %s to %s, such as 90s, 15m or 24h", low, high))
		return 0
	}
	return d
}

// bytes reads a size: a bare number counts bytes, KiB and MiB are understood.
func (e *env) bytes(name string, low, high int64) int64 {
	v := e.text(name)
	digits, unit := v, int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20} {
		if d, ok := strings.CutSuffix(v, suffix); ok {
			digits, unit = strings.TrimSpace(d), size
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	// Divided, not multiplied: a huge number must not wrap round into the range.
	if err != nil || n > high/unit || n*unit < low {
		e.wrong(name, v, fmt.Sprintf("a size from %d to %d bytes, such as 65536, 512KiB or 1MiB", low, high))
		return 0
	}
	return n * unit
}

const networksForm = "addresses or networks, separated by commas, such as 18.203.201.92 or 10.0.0.0/8"

// networks reads addresses and networks, separated by commas; none if it is not set. A list that is set and names nobody is
// a mistake: whoever wrote it wanted to shut somebody out.
func (e *env) networks(name string) []netip.Prefix {
	v := e.text(name)
	items := strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	if v != "" && len(items) == 0 {
		e.wrong(name, v, networksForm)
	}
	var out []netip.Prefix
	for _, item := range items {
		p, ok := network(item)
		if !ok {
			e.wrong(name, item, networksForm)
			continue
		}
		out = append(out, p)
	}
	return out
}

// network reads one. IPv4 within IPv6 is IPv4, as senders are compared; a zone is of one machine and would never be met.
func network(item string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(item); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), a.Zone() == ""
	}
	p, err := netip.ParsePrefix(item)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}

func (e *env) choice(name string, allowed ...string) string {
	v := strings.ToLower(e.text(name))
	if !slices.Contains(allowed, v) {
		e.wrong(name, v, "one of "+strings.Join(allowed, ", "))
		return ""
	}
	return v
}

func (e *env) environment() Environment {
	return Environment(e.choice("DIDIT_ENVIRONMENT", string(Live), string(Sandbox)))
}

func (e *env) logFormat() LogFormat {
	return LogFormat(e.choice("LOG_FORMAT", string(JSON), string(Text)))
}

func (e *env) logLevel() slog.Level {
	switch e.choice("LOG_LEVEL", "debug", "info", "warn", "error") {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// deploymentForm keeps the name fit for Didit's metadata and for a log.
var deploymentForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

func (e *env) deployment() string {
	v := e.text("KYC_DEPLOYMENT")
	if v != "" && !deploymentForm.MatchString(v) {
		e.wrong("KYC_DEPLOYMENT", v, "1 to 128 letters, digits, '.', '_' or '-', the first a letter or digit")
		return ""
	}
	return v
}
