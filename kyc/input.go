package kyc

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Input starts a verification. On the wire it is JSON in which unknown fields are ignored and only UserID is required.
type Input struct {
	UserID string `json:"user_id"`
	// WorkflowID is the id of Didit's flow; empty takes the worker's (DIDIT_WORKFLOW_ID).
	WorkflowID string `json:"workflow_id,omitempty"`
	// Language of Didit's hosted page, such as "en" or "pt-BR"; empty follows the browser.
	Language string `json:"language,omitempty"`
	// ReturnURL is where Didit sends the browser afterwards: absolute, http or https, or a link of an app such as
	// myapp://done, which the HTTP API takes if RETURN_URL_SCHEMES lists its scheme. Put nothing personal into it, for
	// it is kept in history. Its query parameters are unsigned: read the state instead.
	ReturnURL string `json:"return_url,omitempty"`
	// Reverify starts a new verification for a user who has been approved or declined before.
	Reverify bool `json:"reverify,omitempty"`
	// Priority orders the users who wait for Didit's rate limit.
	Priority Priority `json:"priority,omitempty"`
	// Resume begins a run that makes no session by itself: it reads the user's sessions at Didit, reports what is new, and
	// follows them. Only Client.Deliver sets it.
	Resume bool `json:"resume,omitempty"`
}

// Priority is a class of users in the queue for Didit's limit.
type Priority string

// The two priorities; the empty one means interactive.
const (
	PriorityInteractive Priority = "interactive" // a person waits at the screen
	PriorityBulk        Priority = "bulk"        // a batch
)

// Temporal's priority keys of calls to Didit: the lower goes first, 3 is Temporal's default. A poll that only a timer asked
// for comes last.
const (
	PriorityKeyInteractive = 2
	PriorityKeyBulk        = 4
	PriorityKeyPoll        = 5
)

// Key is the priority key of a start.
func (p Priority) Key() int {
	if p == PriorityBulk {
		return PriorityKeyBulk
	}
	return PriorityKeyInteractive
}

// maxUserID is the length of the longest user id.
const maxUserID = 128

// ValidateUserID refuses an id that is not opaque: one letter or digit, then up to 127 letters, digits, '.', '_',
// ':' or '-'. User ids are plain text in every list and log, so an e-mail address is refused on purpose.
func ValidateUserID(id string) error {
	const rule = "want 1 to 128 letters, digits, '.', '_', ':' or '-', the first a letter or digit; " +
		"an opaque id, never an e-mail address or a name"
	switch {
	case id == "":
		return fmt.Errorf("%w: user_id is empty; %s", ErrInvalidInput, rule)
	case len(id) > maxUserID:
		return fmt.Errorf("%w: user_id has %d bytes; %s", ErrInvalidInput, len(id), rule)
	}
	for i := range len(id) {
		if !allowed(id[i], i == 0, "._:-") {
			return fmt.Errorf("%w: user_id has a character that is not allowed at position %d; %s", ErrInvalidInput, i+1, rule)
		}
	}
	return nil
}

// allowed reports whether c is a letter, a digit or, but for the first character, one of the marks.
func allowed(c byte, first bool, marks string) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return letter || !first && strings.IndexByte(marks, c) >= 0
}

// Validate reports the first field of in that a verification, or Didit, would refuse.
func (in Input) Validate() error {
	if err := ValidateUserID(in.UserID); err != nil {
		return err
	}
	switch {
	case in.WorkflowID != "" && canonicalUUID(in.WorkflowID) == "":
		return fmt.Errorf("%w: workflow_id is not a UUID; want the id of a flow in Didit's console", ErrInvalidInput)
	case in.Language != "" && !languageForm.MatchString(in.Language):
		return fmt.Errorf("%w: language is not a language code; want one such as en or pt-BR", ErrInvalidInput)
	case !validReturnURL(in.ReturnURL):
		return fmt.Errorf("%w: return_url is not an absolute http or https URL, or a link of an app such as myapp://done, of at most %d bytes", ErrInvalidInput, maxReturnURL)
	}
	return in.Priority.Validate()
}

// Validate refuses an unknown priority.
func (p Priority) Validate() error {
	switch p {
	case "", PriorityInteractive, PriorityBulk:
		return nil
	}
	return fmt.Errorf("%w: priority is neither %q nor %q", ErrInvalidInput, PriorityInteractive, PriorityBulk)
}

// languageForm is that of Didit's codes (https://docs.didit.me/sessions-api/create-session), whose list grows.
var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// maxReturnURL is the length of the longest return URL.
const maxReturnURL = 2048

func validReturnURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > maxReturnURL || u.User != nil || u.Opaque != "":
		return false
	case u.Scheme == "https" || u.Scheme == "http":
		return u.Hostname() != ""
	}
	return appScheme.MatchString(u.Scheme) && !browserScheme.MatchString(u.Scheme) && u.Host+u.Path != ""
}

// A link of an app has a scheme of its own. Schemes that a browser handles itself are refused: they may run code.
var (
	appScheme     = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
	browserScheme = regexp.MustCompile(`^(about|blob|content|data|file|filesystem|ftp|intent|javascript|vbscript|view-source|wss?)$`)
)
