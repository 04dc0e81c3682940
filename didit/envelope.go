package didit

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// The fields of a webhook's envelope that an Event is made of (https://docs.didit.me/integration/webhooks).
const (
	fieldEventID = iota
	fieldType
	fieldEnvironment
	fieldSessionID
	fieldSessionKind
	fieldStatus
	fieldWorkflowID
	fieldVendorData
	fieldTimestamp
	fieldCreatedAt
	fieldMetadata
	allFields
	textFields = fieldTimestamp // the fields before this one are strings
)

var fieldNames = [allFields]string{
	fieldEventID:     "event_id",
	fieldType:        "webhook_type",
	fieldEnvironment: "environment",
	fieldSessionID:   "session_id",
	fieldSessionKind: "session_kind",
	fieldStatus:      "status",
	fieldWorkflowID:  "workflow_id",
	fieldVendorData:  "vendor_data",
	fieldTimestamp:   "timestamp",
	fieldCreatedAt:   "created_at",
	fieldMetadata:    "metadata",
}

// maxUnix is beyond any time, and small enough for exact arithmetic in float64 and package time.
const maxUnix = 1 << 53

// envelope has the positions of the fields of an Event. It is valid only after a scan without an error.
type envelope struct {
	object     bool // the body is an object
	values     [allFields]span
	inMetadata bool
	test       bool // metadata.test_webhook is true, as in test deliveries of Didit's console
	text       []byte
}

// enterField records the key of a member of the body before its value is read.
func (s *scanner) enterField(key []byte) {
	s.envelope.inMetadata = string(key) == fieldNames[fieldMetadata]
}

// noteField records the position of a member's value: of the body at depth 1, of an object in it at depth 2.
func (s *scanner) noteField(key []byte, value span) {
	if s.depth == 2 {
		if s.envelope.inMetadata && string(key) == "test_webhook" {
			s.envelope.test = string(s.src[value.from:value.to]) == "true"
		}
		return
	}
	for field, name := range fieldNames {
		if string(key) == name {
			s.envelope.values[field] = value
			return
		}
	}
}

// event returns the Event that the scan recorded.
func (s *scanner) event() (Event, error) {
	if !s.envelope.object {
		return Event{}, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	if len(s.fieldValue(fieldTimestamp)) == 0 {
		return Event{}, fmt.Errorf("%w: no timestamp", ErrMalformed)
	}
	timestamp, err := s.unixField(fieldTimestamp)
	if err != nil {
		return Event{}, err
	}
	createdAt, err := s.unixField(fieldCreatedAt)
	if err != nil {
		return Event{}, err
	}
	text, err := s.textFields()
	if err != nil {
		return Event{}, err
	}
	return Event{
		ID:          text[fieldEventID],
		Type:        text[fieldType],
		Timestamp:   timestamp,
		CreatedAt:   createdAt,
		Environment: Environment(text[fieldEnvironment]),
		SessionID:   text[fieldSessionID],
		SessionKind: text[fieldSessionKind],
		Status:      Status(text[fieldStatus]),
		WorkflowID:  text[fieldWorkflowID],
		VendorData:  text[fieldVendorData],
		Metadata:    bytes.Clone(s.fieldValue(fieldMetadata)), // the body is the caller's
		Test:        s.envelope.test,
	}, nil
}

// fieldValue returns the source of a field's value, nil if the field is absent or null.
func (s *scanner) fieldValue(field int) []byte {
	value := s.envelope.values[field]
	if source := s.src[value.from:value.to]; len(source) > 0 && string(source) != "null" {
		return source
	}
	return nil
}

// textFields decodes all string fields into one string and cuts it up: one allocation instead of eight.
func (s *scanner) textFields() (fields [textFields]string, err error) {
	var ends [textFields]int
	for field := range fields {
		if source := s.fieldValue(field); len(source) > 0 {
			if source[0] != '"' {
				return fields, fmt.Errorf("%w: %s is not a string", ErrMalformed, fieldNames[field])
			}
			start := len(s.envelope.text)
			s.envelope.text = appendDecoded(s.envelope.text, source[1:len(source)-1])
			if !utf8.Valid(s.envelope.text[start:]) {
				return fields, fmt.Errorf("%w: %s holds a lone surrogate", ErrMalformed, fieldNames[field])
			}
		}
		ends[field] = len(s.envelope.text)
	}
	all, start := string(s.envelope.text), 0
	for field, end := range ends {
		fields[field], start = all[start:end], end
	}
	return fields, nil
}

// unixField reads a field as whole seconds, 0 if it is absent.
func (s *scanner) unixField(field int) (int64, error) {
	source := s.fieldValue(field)
	if len(source) == 0 {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(string(source), 64)
	if err != nil || seconds != math.Trunc(seconds) || math.Abs(seconds) > maxUnix {
		return 0, fmt.Errorf("%w: %s is not a time in whole seconds", ErrMalformed, fieldNames[field])
	}
	return int64(seconds), nil
}
