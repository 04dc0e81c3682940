package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"didit-temporal/kyc/codec"
)

// Codec is what `starter codec-server` needs.
type Codec struct {
	Keys    codec.Keys
	Addr    string
	Tokens  []Secret // any of them authenticates an operator
	Origins []string // of the Web UIs whose pages may call

	Telemetry Telemetry // without traces
}

// ForCodec reads the settings of `starter codec-server`. On an error the struct is incomplete and must not be used.
func ForCodec(getenv Getenv) (Codec, error) {
	e := &env{get: getenv}
	environment := e.environment()
	c := Codec{
		Keys:    e.payloadKeys(environment),
		Addr:    e.address("CODEC_ADDR"),
		Tokens:  e.secrets("CODEC_TOKENS", "make one with `openssl rand -hex 24`; several are separated by commas"),
		Origins: e.origins("CODEC_ORIGINS"),

		Telemetry: e.telemetry(metricsOfCodec),
	}
	if environment == Live {
		e.refuseSimulated("CODEC_TOKENS", "secret", c.Tokens)
	}
	return c, errors.Join(e.errs...)
}

// PayloadKeys reads only the keys: what a client needs beside Temporal's settings.
func PayloadKeys(getenv Getenv) (codec.Keys, error) {
	e := &env{get: getenv}
	return e.payloadKeys(Sandbox), errors.Join(e.errs...)
}

func (e *env) payloadKeys(environment Environment) codec.Keys {
	const name = "PAYLOAD_KEYS"
	if !e.isSet(name) {
		return codec.Keys{}
	}
	keys, err := codec.ParseKeys(e.secretText(name, "id:key"))
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			e.fail(name, "%s", line)
		}
	}
	if environment == Live && keys.Demo() {
		e.fail(name, "has the public key of .env.example: make one with `starter codec-key`, or set DIDIT_ENVIRONMENT=%s", Sandbox)
	}
	return keys
}

// origins reads what browsers send as the Origin of a page, separated by commas.
func (e *env) origins(name string) []string {
	var all []string
	for _, one := range e.list(name) {
		u, err := url.Parse(one)
		if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || one != u.Scheme+"://"+u.Host || strings.Contains(u.Host, "*") {
			e.wrong(name, one, "the origins of Web UIs, separated by commas, such as https://temporal.example: no path, and no *")
			continue
		}
		all = append(all, strings.ToLower(strings.TrimSuffix(one, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
