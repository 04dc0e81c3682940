package config

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// Bounds of a signing key, in bytes (https://www.standardwebhooks.com).
const (
	minResultKey = 24
	maxResultKey = 64
)

const resultKeyForm = `want "whsec_" and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)`

// results reads where results go and what signs them: both, or neither.
func (e *env) results() (target Secret, keys []Secret) {
	const targetName, keysName = "RESULT_URL", "RESULT_SECRETS"
	readTarget, readKeys := e.optional(targetName), e.optional(keysName)
	if readTarget == nil && readKeys == nil {
		return Secret{}, nil
	}
	if readTarget == nil {
		e.fail(keysName, "is set, but %s is not: set both, or neither", targetName)
		return Secret{}, nil
	}
	target = readTarget.resultURL(targetName)
	if readKeys == nil {
		readTarget.fail(keysName, "is not set, but %s is: %s", targetName, resultKeyForm)
		e.errs = append(e.errs, readTarget.errs...)
		return target, nil
	}
	keys = readKeys.resultKeys(keysName)
	e.errs = append(append(e.errs, readTarget.errs...), readKeys.errs...)
	return target, keys
}

// optional returns an env that holds only NAME and NAME_FILE, or nil if neither is set.
func (e *env) optional(name string) *env {
	direct, file := strings.TrimSpace(e.get(name)), e.get(name+"_FILE")
	if direct == "" && file == "" {
		return nil
	}
	return newEnv(func(n string) string { return map[string]string{name: direct, name + "_FILE": file}[n] })
}

func (e *env) resultKeys(name string) []Secret {
	keys := e.secrets(name, resultKeyForm)
	for i, k := range keys {
		if !resultKey(k.Reveal()) {
			e.fail(name, "has an entry that is no key at place %d: %s", i+1, resultKeyForm)
		}
	}
	return keys
}

func resultKey(s string) bool {
	text, prefixed := strings.CutPrefix(s, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return prefixed && err == nil && len(key) >= minResultKey && len(key) <= maxResultKey
}

// resultURL reads an absolute URL, which may have a user, a path and a query: nothing of it is repeated. Plain http is
// taken only for a host that cannot be on the internet, because a result says who was refused.
func (e *env) resultURL(name string) Secret {
	v := e.secretText(name, "")
	u, err := url.Parse(v)
	switch {
	case v == "":
		return Secret{}
	case err != nil, u.Hostname() == "", u.Scheme != "https" && u.Scheme != "http", u.Fragment != "":
		e.fail(name, "is not an absolute URL: want https://host/path, without a fragment")
	case u.Scheme == "http" && !local(u.Hostname()):
		e.fail(name, "is not https: a result says who was refused (http is for this machine or a private network)")
	default:
		return NewSecret(v)
	}
	return Secret{}
}
