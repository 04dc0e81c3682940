package didit

import (
	"net/http"
	"strings"
)

// Cause is why Didit refused a call, from the status, the code and the shape of the answer
// (https://docs.didit.me/integration/api-errors). Its text is a token for logs.
type Cause string

// The causes.
const (
	CauseUnavailable Cause = "unavailable" // 5xx, 408 or 425: the call may be repeated
	CauseLimit       Cause = "limit"       // 429
	CauseCredit      Cause = "credit"      // 402; or a 400 or 403 whose code or text is about money
	CauseKey         Cause = "key"         // 401; or a 403 for a missing key
	CausePermission  Cause = "permission"  // another 403: the key is known and may not do this
	CauseBasePath    Cause = "base-path"   // a redirect; or a 404 or 405 without an explanation, which is not Didit's
	CauseFlow        Cause = "flow"        // workflow_id is wrong, or no flow of this application
	CauseNotFound    Cause = "not-found"   // 404: no such session, or none that this key may read
	CauseConflict    Cause = "conflict"    // 409
	CauseField       Cause = "field"       // another 400 or 422
)

// Cause reports why the call was refused.
func (e *APIError) Cause() Cause {
	explained := e.Code != "" || e.Detail != ""
	switch code := e.StatusCode; {
	case code == http.StatusTooManyRequests:
		return CauseLimit
	case code >= http.StatusInternalServerError, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		return CauseUnavailable
	case code == http.StatusPaymentRequired, e.aboutMoney():
		return CauseCredit
	case code == http.StatusUnauthorized, code == http.StatusForbidden && strings.Contains(e.Detail, "credentials"):
		return CauseKey
	case code == http.StatusForbidden:
		return CausePermission
	case code/100 == 3, (code == http.StatusNotFound || code == http.StatusMethodNotAllowed) && !explained:
		return CauseBasePath
	case strings.HasPrefix(e.Detail, "workflow_id: "), code == http.StatusNotFound && e.Op == opCreateSession:
		return CauseFlow
	case code == http.StatusNotFound:
		return CauseNotFound
	case code == http.StatusConflict:
		return CauseConflict
	}
	return CauseField
}

// aboutMoney reports a low balance or a suspended contract, which each group of Didit's API reports with another status.
// A text about a field does not count.
func (e *APIError) aboutMoney() bool {
	text, _, field := strings.Cut(strings.ToLower(e.Detail), ": ")
	if field {
		text = ""
	}
	for _, word := range []string{"credit", "balance", "billing", "payment"} {
		inText := strings.Contains(text, word) && !strings.Contains(text, "credential")
		if strings.Contains(strings.ToLower(e.Code), word) || inText {
			return true
		}
	}
	return false
}

// Advice is what an operator should do.
func (c Cause) Advice() string { return advice[c] }

var advice = map[Cause]string{ //nolint:gosec // G101: it names credentials, and holds none
	CauseUnavailable: "Didit does not answer; the call is retried",
	CauseLimit:       "Didit's rate limit; the call is retried when Didit allows it",
	CauseCredit:      "the Didit account has no credit, or its contract is suspended: top it up in Didit's console, Billing",
	CauseKey:         "Didit refuses the API key: check DIDIT_API_KEY; it may be wrong, revoked or expired, or a proxy drops the header x-api-key",
	CausePermission:  "the API key may not do this: check its rights, its workflows and its allowed addresses in Didit's console",
	CauseBasePath:    "this is not Didit's API: check DIDIT_BASE_URL, which ends before /v3, and the proxy in front of it",
	CauseFlow:        "the application has no such flow: check DIDIT_WORKFLOW_ID and workflow_id, and that the key is of the same application",
	CauseNotFound:    "Didit has no such session, or none that this key may read",
	CauseConflict:    "the state at Didit does not allow this; the message has Didit's code",
	CauseField:       "Didit refuses a field of the request; the message names it",
}
