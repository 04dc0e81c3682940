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

// results reads the URL of the callback endpoint and the keys that sign results: both, or neither.
func (e *env) results() (Secret, []Secret) {
	const target, keys = "RESULT_URL", "RESULT_SECRETS"
	haveTarget, haveKeys := e.isSet(target), e.isSet(keys)
	switch {
	case !haveTarget && !haveKeys:
		return Secret{}, nil
	case !haveTarget:
		e.fail(keys, "is set, but %s is not: set both, or neither", target)
		return Secret{}, nil
	case !haveKeys:
		to := e.resultURL(target)
		e.fail(keys, "is not set, but %s is: %s", target, resultKeyForm)
		return to, nil
	}
	return e.resultURL(target), e.resultKeys(keys)
}

func (e *env) resultKeys(name string) []Secret {
	keys := e.secrets(name, resultKeyForm)
	for i, k := range keys {
		text, prefixed := strings.CutPrefix(k.Reveal(), "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !prefixed || err != nil || len(key) < minResultKey || len(key) > maxResultKey {
			e.fail(name, "has an entry that is no key at place %d: %s", i+1, resultKeyForm)
		}
	}
	return keys
}

// resultURL reads an absolute URL, which may have a user, a path and a query. No part of it appears in an error. Plain http is
// for a host that cannot be on the internet, because a result says which users were refused.
func (e *env) resultURL(name string) Secret {
	v := e.secretText(name, "")
	u, err := url.Parse(v)
	switch {
	case v == "":
		return Secret{}
	case err != nil, u.Hostname() == "", u.Scheme != "https" && u.Scheme != "http", u.Fragment != "":
		e.fail(name, "is not an absolute URL: want https://host/path, without a fragment")
	case u.Scheme == "http" && !local(u.Hostname()):
		e.fail(name, "is not https: a result says which users were refused (http is for this machine or a private network)")
	default:
		return NewSecret(v)
	}
	return Secret{}
}
