package config

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value that must not be printed. Every way in which the standard library turns a value into text
// writes "[redacted]"; the only way to the value is Reveal, so that a search for it finds each use.
type Secret struct {
	// A pointer, because fmt cannot call our methods on an unexported field of another struct: there it
	// prints an address.
	value *string
}

// NewSecret wraps a value; for tests, and for development that makes up its own secrets.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value itself. Call it where the value is used, never where it is passed on.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// RevealAll returns the values of several.
func RevealAll(secrets []Secret) []string {
	values := make([]string, len(secrets))
	for i, s := range secrets {
		values[i] = s.Reveal()
	}
	return values
}

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, which wins over all other methods whatever the verb.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON uses as well.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
