package api

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"didit-temporal/kyc"
)

// allowReturnURL refuses a link of an app that the operator has not listed. Its form is validated already.
func (a *API) allowReturnURL(c *gin.Context, in kyc.Input) bool {
	u, err := url.Parse(in.ReturnURL)
	if err != nil || in.ReturnURL == "" || u.Scheme == "http" || u.Scheme == "https" || slices.Contains(a.o.ReturnSchemes, u.Scheme) {
		return true
	}
	a.problem(c, invalidInput, details{fields: []FieldError{{
		Field:  "return_url",
		Detail: fmt.Sprintf("return_url has the scheme %s, which this deployment does not allow; add it to RETURN_URL_SCHEMES, or use https", shortened(u.Scheme)),
	}}})
	return false
}
