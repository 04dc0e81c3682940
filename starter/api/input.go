package api

import (
	"cmp"
	"strings"

	"didit-temporal/kyc"
)

// FieldError says what is wrong with one field and what would be right.
type FieldError struct {
	Field  string `json:"field"` // empty: the body as a whole
	Detail string `json:"detail"`
}

func byField(x, y FieldError) int { return cmp.Compare(x.Field, y.Field) }

const inputExample = `such as {"user_id": "u-1042"}`

// inputFields are those of a start. kyc.Client fills in the rest of kyc.Input.
var inputFields = []field[kyc.Input]{
	{name: "user_id", required: "your opaque id of the user", text: inputText(func(in *kyc.Input, s string) { in.UserID = s })},
	{name: "workflow_id", text: inputText(func(in *kyc.Input, s string) { in.WorkflowID = s })},
	{name: "language", text: inputText(func(in *kyc.Input, s string) { in.Language = s })},
	{name: "return_url", text: inputText(func(in *kyc.Input, s string) { in.ReturnURL = s })},
	{name: "reverify", boolean: func(in *kyc.Input, b bool) error { in.Reverify = b; return nil }},
	{name: "priority", text: inputText(func(in *kyc.Input, s string) { in.Priority = kyc.Priority(s) })},
}

// inputText sets a text and validates it alone, so that every wrong field is reported and not only the first.
func inputText(put func(*kyc.Input, string)) func(*kyc.Input, string) error {
	return func(in *kyc.Input, s string) error {
		put(in, s)
		alone := kyc.Input{UserID: "u"}
		put(&alone, s)
		return alone.Validate()
	}
}

// ruleBroken is kyc's error without its prefix.
func ruleBroken(field string, err error) FieldError {
	return FieldError{Field: field, Detail: strings.TrimPrefix(err.Error(), kyc.ErrInvalidInput.Error()+": ")}
}
