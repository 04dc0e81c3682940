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
	// simulated begins the secret that .env.example ships for the simulator. It is public, so a process that
	// takes live events refuses it.
	simulated = "simulator-"
)

// placeholders are words that nobody's real secret contains, but a copied example does.
var placeholders = []string{"changeme", "change-me", "change_me", "placeholder", "your-", "your_", "example", "replace"}

// secretText returns the value of NAME or the content of the file that NAME_FILE names. Mounted files are how
// container platforms hand out secrets, and they do not show up in a process list.
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
	if err != nil {
		// Without the path: somebody will put the secret itself there one day.
		var where *fs.PathError
		if errors.As(err, &where) {
			err = where.Err
		}
		e.fail(name, "cannot be read from the file that %s_FILE names: %v", name, err)
		return ""
	}
	v := strings.TrimSpace(string(b))
	if v == "" {
		e.fail(name, "cannot be read from the file that %s_FILE names: it is empty", name)
	}
	return v
}

// secret reads one secret.
func (e *env) secret(name, hint string) Secret {
	v := e.secretText(name, hint)
	if v == "" {
		return Secret{}
	}
	if strings.ContainsFunc(v, unprintable) {
		e.fail(name, "contains white space or a control character: was more than the value copied?")
		return Secret{}
	}
	if why := placeholder(v); why != "" {
		e.fail(name, "is a placeholder (%s): want the real value (%s)", why, hint)
		return Secret{}
	}
	return NewSecret(v)
}

// secrets reads several, separated by commas.
func (e *env) secrets(name, hint string) []Secret {
	v := e.secretText(name, hint)
	if v == "" {
		return nil
	}
	var all []Secret
	for i, one := range strings.Split(v, ",") {
		if s := e.listed(name, hint, i+1, strings.TrimSpace(one)); s.value != nil {
			all = append(all, s)
		}
	}
	return all
}

// listed checks the secret at place number of a list; mistakes name the place, as the value cannot be shown.
func (e *env) listed(name, hint string, number int, v string) Secret {
	switch why := placeholder(v); {
	case v == "":
		e.fail(name, "has an empty entry at place %d: remove the extra comma", number)
	case why != "":
		e.fail(name, "has a placeholder at place %d (%s): want the real value (%s)", number, why, hint)
	case len(v) < minSecretLength:
		e.fail(name, "has an entry of %d characters at place %d: want at least %d", len(v), number, minSecretLength)
	case strings.ContainsFunc(v, unprintable):
		e.fail(name, "has white space or a control character inside the entry at place %d: separate secrets by commas", number)
	default:
		return NewSecret(v)
	}
	return Secret{}
}

// refuseSimulated reports secrets that everybody can read in the repository.
func (e *env) refuseSimulated(name string, secrets []Secret) {
	for i, s := range secrets {
		if strings.HasPrefix(s.Reveal(), simulated) {
			e.fail(name, "has the simulator's public secret at place %d: want Didit's, or DIDIT_ENVIRONMENT=%s", i+1, Sandbox)
		}
	}
}

func (e *env) refuseSimulatedKey(name string, key Secret) {
	if strings.HasPrefix(key.Reveal(), simulated) {
		e.fail(name, "has the simulator's public key: want the application's own from Didit's console, or DIDIT_ENVIRONMENT=%s", Sandbox)
	}
}

// placeholder says why a value cannot be a real secret, without repeating any of it but the telling word.
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
