package api

import (
	"fmt"
	"net/url"
	"slices"

	"didit-temporal/kyc"
)

// with adds what the person needs to act: both or neither.
func (v Verification) with(s kyc.Session) Verification {
	if s.URL != "" {
		v.URL, v.SessionToken = s.URL, s.SessionToken
	}
	return v
}

// checkReturn refuses a link of an app that the operator has not listed. Its form is judged already.
func (a *API) checkReturn(in kyc.Input) *badRequest {
	u, err := url.Parse(in.ReturnURL)
	if err != nil || in.ReturnURL == "" || u.Scheme == "http" || u.Scheme == "https" || slices.Contains(a.o.ReturnSchemes, u.Scheme) {
		return nil
	}
	return &badRequest{invalidInput, trouble{fields: []FieldError{{
		Field:  "return_url",
		Detail: fmt.Sprintf("return_url has the scheme %s, which this deployment does not take; have it added to RETURN_URL_SCHEMES, or use https", shown(u.Scheme)),
	}}}}
}
