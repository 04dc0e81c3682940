package didit

import (
	"fmt"
	"log/slog"
)

// Sensitive is text that must not be shown by accident: a key, a secret, or words that may be about a person. fmt, log/slog
// and encoding/json print it as "[hidden]", also within a struct; empty text stays empty. Reveal returns the text.
type Sensitive string

const hidden = "[hidden]"

// Reveal returns the text.
func (s Sensitive) Reveal() string { return string(s) }

// String hides the text.
func (s Sensitive) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format hides the text from every verb of fmt, %x and %#v included.
func (s Sensitive) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue hides the text from log/slog.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text from encoding/json, and so from a workflow's history.
func (s Sensitive) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
