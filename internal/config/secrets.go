package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"unicode"
)

const (
	// Shorter ones can be guessed, and no secret that Didit makes is shorter.
	minSecretLength = 16
	// simulated begins the secret that .env.example ships for the simulator. It is public, so a process that takes live events
	// refuses it.
	simulated = "simulator-"
)

// placeholders are words that no real secret contains, but a copied example does.
var placeholders = []string{"changeme", "change-me", "change_me", "placeholder", "your-", "your_", "example", "replace"}

// isSet reports whether a secret is given, in NAME or in the file that NAME_FILE names.
func (e *env) isSet(name string) bool {
	direct, file := strings.TrimSpace(e.get(name)), e.get(name+"_FILE")
	return direct != "" || file != ""
}

// secretText returns the value of NAME or the content of the file that NAME_FILE names. Container platforms mount secrets as
// files, which do not show up in a process list.
func (e *env) secretText(name, hint string) string {
	direct, file := strings.TrimSpace(e.get(name)), e.get(name+"_FILE")
	switch {
	case direct != "" && file != "":
		e.fail(name, "and %s_FILE are both set: set one of them", name)
		return ""
	case file != "":
		return e.secretFile(name, file)
	case direct == "":
		e.fail(name, "is not set (%s; or %s_FILE, the path of a file that holds it)", hint, name)
	}
	return direct
}

func (e *env) secretFile(name, path string) string {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	v := strings.TrimSpace(string(b))
	if err == nil && v == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		// Without the path: the secret itself may stand there by mistake.
		if where, ok := errors.AsType[*fs.PathError](err); ok {
			err = where.Err
		}
		e.fail(name, "cannot be read from the file that %s_FILE names: %v", name, err)
		return ""
	}
	return v
}

// secret reads one secret.
func (e *env) secret(name, hint string) Secret {
	v := e.secretText(name, hint)
	switch why := placeholder(v); {
	case v == "":
	case strings.ContainsFunc(v, unprintable):
		e.fail(name, "contains white space or a control character: was more than the value copied?")
	case why != "":
		e.fail(name, "is a placeholder (%s): want the real value (%s)", why, hint)
	default:
		return NewSecret(v)
	}
	return Secret{}
}

// secrets reads several, separated by commas.
func (e *env) secrets(name, hint string) (all []Secret) {
	v := e.secretText(name, hint)
	if v == "" {
		return nil
	}
	for i, one := range strings.Split(v, ",") {
		if s := e.listed(name, hint, i+1, strings.TrimSpace(one)); s.value != nil {
			all = append(all, s)
		}
	}
	return all
}

// listed checks one secret of a list. Mistakes name its place, as the value cannot be shown.
func (e *env) listed(name, hint string, place int, v string) Secret {
	switch why := placeholder(v); {
	case v == "":
		e.fail(name, "has an empty entry at place %d: remove the extra comma", place)
	case why != "":
		e.fail(name, "has a placeholder at place %d (%s): want the real value (%s)", place, why, hint)
	case len(v) < minSecretLength:
		e.fail(name, "has an entry of %d characters at place %d: want at least %d", len(v), place, minSecretLength)
	case strings.ContainsFunc(v, unprintable):
		e.fail(name, "has white space or a control character inside the entry at place %d: separate secrets by commas", place)
	default:
		return NewSecret(v)
	}
	return Secret{}
}

// refuseSimulated reports secrets that the repository publishes.
func (e *env) refuseSimulated(name, what string, secrets []Secret) {
	for i, s := range secrets {
		if s.simulated() {
			e.fail(name, "has the simulator's public %s at place %d: want a real one, or DIDIT_ENVIRONMENT=%s", what, i+1, Sandbox)
		}
	}
}

func (s Secret) simulated() bool { return strings.HasPrefix(s.Reveal(), simulated) }

// placeholder says why a value cannot be a real secret. It repeats nothing of the value but the word that gave it away.
func placeholder(v string) string {
	low := strings.ToLower(v)
	for _, word := range placeholders {
		if strings.Contains(low, word) {
			return "it contains \"" + word + "\""
		}
	}
	if v != "" && strings.Trim(low, low[:1]) == "" {
		return "it is one character, repeated"
	}
	return ""
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
