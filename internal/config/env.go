package config

import (
	"cmp"
	"errors"
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

// env reads variables and collects their mistakes. A reader that fails returns the zero value and goes on, so that one
// start reports every mistake.
type env struct {
	get  Getenv
	errs []error
}

// wrong records a mistake: what the variable holds and what it should hold. Never call it with a secret.
func (e *env) wrong(name, value, want string) {
	e.errs = append(e.errs, fmt.Errorf("%s=%q: want %s", name, value, want))
}

// fail records a mistake whose value must not be shown.
func (e *env) fail(name, format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

// Mistakes lists those of several processes, which share settings, each once.
func Mistakes(errs ...error) (lines []string) {
	all := errors.Join(errs...)
	if all == nil {
		return nil
	}
	for line := range strings.SplitSeq(all.Error(), "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// text returns the variable or the default that Variables documents.
func (e *env) text(name string) string {
	return cmp.Or(strings.TrimSpace(e.get(name)), Default(name))
}

// list splits a variable at its commas; nil if it is not set.
func (e *env) list(name string) []string {
	v := e.text(name)
	if v == "" {
		return nil
	}
	all := strings.Split(v, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// parse reads a variable with a function that reports whether the text is valid.
func parse[T any](e *env, name, want string, read func(string) (T, bool)) T {
	v := e.text(name)
	if out, ok := read(v); ok {
		return out
	}
	e.wrong(name, v, want)
	var zero T
	return zero
}

// matching reads a text of a form, or an empty one.
func (e *env) matching(name, want string, form *regexp.Regexp) string {
	return parse(e, name, want, func(v string) (string, bool) { return v, v == "" || form.MatchString(v) })
}

func (e *env) uuid(name, hint string) string {
	v := e.text(name)
	if v == "" {
		e.fail(name, "is not set (%s)", hint)
		return ""
	}
	// uuid.Parse also accepts urn:uuid: and {}; Didit refuses those.
	if uuid.Validate(v) != nil || len(v) != 36 {
		// The value is not shown: the API key stands beside it in the console and may be pasted here by mistake.
		e.fail(name, "is not a UUID: want one such as 11111111-2222-4333-8444-555555555555 (%s)", hint)
		return ""
	}
	return v
}

func (e *env) integer(name string, low, high int) int {
	return parse(e, name, fmt.Sprintf("a whole number from %d to %d", low, high), func(v string) (int, bool) {
		n, err := strconv.Atoi(v)
		return n, err == nil && n >= low && n <= high
	})
}

func (e *env) duration(name string, low, high time.Duration) time.Duration {
	return parse(e, name, fmt.Sprintf("a duration from %s to %s, such as 90s, 15m or 24h", low, high), func(v string) (time.Duration, bool) {
		d, err := time.ParseDuration(v)
		return d, err == nil && d >= low && d <= high
	})
}

// bytes reads a size: a bare number counts bytes, KiB and MiB are understood.
func (e *env) bytes(name string, low, high int64) int64 {
	return parse(e, name, fmt.Sprintf("a size from %d to %d bytes, such as 65536, 512KiB or 1MiB", low, high), func(v string) (int64, bool) {
		unit := int64(1)
		for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20} {
			if digits, ok := strings.CutSuffix(v, suffix); ok {
				v, unit = strings.TrimSpace(digits), size
			}
		}
		n, err := strconv.ParseInt(v, 10, 64)
		// Divided, not multiplied: a huge number must not wrap around into the range.
		return n * unit, err == nil && n <= high/unit && n*unit >= low
	})
}

const networksForm = "addresses or networks, separated by commas, such as 18.203.201.92 or 10.0.0.0/8"

// networks reads addresses and networks, separated by commas; none if it is not set. A list that is set and names none is a
// mistake: it was meant to shut senders out.
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

// network reads one. IPv4 within IPv6 is IPv4, as senders are compared; a zone is local to one machine and matches no sender.
func network(item string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(item); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), a.Zone() == ""
	}
	p, err := netip.ParsePrefix(item)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}

func choice[T ~string](e *env, name string, allowed ...T) T {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return parse(e, name, "one of "+strings.Join(words, ", "), func(v string) (T, bool) {
		word := T(strings.ToLower(v))
		return word, slices.Contains(allowed, word)
	})
}

func (e *env) environment() Environment { return choice(e, "DIDIT_ENVIRONMENT", Live, Sandbox) }

func (e *env) logLevel() (level slog.Level) {
	_ = level.UnmarshalText([]byte(choice(e, "LOG_LEVEL", "debug", "info", "warn", "error"))) // empty after a mistake
	return level
}

// deploymentForm keeps the name fit for Didit's metadata and for a log.
var deploymentForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

func (e *env) deployment() string {
	return e.matching("KYC_DEPLOYMENT", "1 to 128 letters, digits, '.', '_' or '-', the first a letter or digit", deploymentForm)
}
