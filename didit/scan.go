package didit

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// maxDepth bounds how deep arrays and objects may nest. What Didit documents nests less than ten deep.
const maxDepth = 64

// maxSource is the longest source. Positions in it, and in its canonical text, which is at most five times as long, are
// 32 bits long, because moving them is much of the work where keys are out of order.
const maxSource = 256 << 20

// Capacities up to which a buffer is kept for the next body.
const (
	maxPooledBytes = 256 << 10
	maxPooledItems = 16 << 10
)

// scanner reads one JSON text in a single pass and accepts less than RFC 8259: valid UTF-8 only, no repeated key in an
// object, bounded depth. A receiver that accepts more can read another event than the signed one. Beyond the RFC it accepts
// what Python's json writes, which signs the bodies: NaN, Infinity and escaped lone surrogates. Those have no canonical text,
// and a field that we read may hold none of them. The scanner records the envelope of the event and, if canon is on, builds
// the canonical text.
//
// It is our own because no JSON library keeps what the signature and the bound on CPU need: the literal text of numbers and
// the positions of keys, in one pass, without an allocation for each value. A refused body must cost at most
// 12 times its HMAC-SHA256. For 1 MiB of single digits, the worst case, the scanner takes 9 times that with the canonical
// text; the tokens of encoding/json alone take 330 times (Go 1.26). docs/reference/webhook.md has more figures.
type scanner struct {
	src   []byte
	pos   int
	depth int

	members  []member // of the objects that are open, the innermost last
	keys     []byte   // the keys that had escapes, decoded
	envelope envelope
	canon    canonical
}

// span is a part of src. A key that was escaped is a part of scanner.keys instead.
type span struct {
	from, to int32
	escaped  bool
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

func newScanner(src []byte) *scanner {
	s := scanners.Get().(*scanner)
	s.src = src
	return s
}

// release clears the buffers and returns them to the pool.
func (s *scanner) release() {
	*s = scanner{
		members:  emptied(s.members, maxPooledItems),
		keys:     wiped(s.keys),
		envelope: envelope{text: wiped(s.envelope.text)},
		canon: canonical{
			out:     wiped(s.canon.out),
			final:   wiped(s.canon.final),
			objects: emptied(s.canon.objects, maxPooledItems),
			sorted:  emptied(s.canon.sorted, maxPooledItems),
		},
	}
	scanners.Put(s)
}

func wiped(buf []byte) []byte {
	clear(buf)
	return emptied(buf, maxPooledBytes)
}

// emptied drops a buffer that one unusual body has made large.
func emptied[T any](buf []T, limit int) []T {
	if cap(buf) > limit {
		return nil
	}
	return buf[:0]
}

// scan reads the whole of src: one value, white space around it, and nothing else.
func (s *scanner) scan() error {
	if len(s.src) > maxSource {
		return fmt.Errorf("%w: over %d bytes", ErrMalformed, maxSource)
	}
	if !utf8.Valid(s.src) {
		return fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	s.space()
	s.envelope.object = s.peek() == '{'
	if err := s.value(); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.src) {
		return s.fail("data after the value")
	}
	return nil
}

// fail reports what is wrong and where, and never quotes the source.
func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrMalformed, what, s.pos)
}

// peek returns the next byte, or 0 at the end: nothing in JSON begins with a zero byte.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// space skips white space. Didit sends none.
func (s *scanner) space() {
	if s.peek() <= ' ' {
		s.skipSpace()
	}
}

func (s *scanner) skipSpace() {
	from, size := s.pos, 0
	for rest := s.src[from:]; size < len(rest) && isSpace(rest[size]); {
		size++
	}
	s.pos += size
	if s.canon.on && size > 0 {
		s.omit(from)
		s.canon.budget -= workSpace // the next value sees it
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) value() error {
	if err := s.spend(workValue); err != nil {
		return err
	}
	switch c := s.peek(); {
	case c == '"':
		_, err := s.text()
		return err
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '-' || isDigit(c):
		return s.number()
	case c == 'N' || c == 'I':
		return s.notFinite()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fail("no value")
}

func (s *scanner) literal(word string) error {
	if rest := s.src[s.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.fail("no value")
	}
	s.pos += len(word)
	return nil
}

// notFinite reads one of Python's words for floats that JSON does not have. The sign is read already.
func (s *scanner) notFinite() error {
	if s.canon.on {
		return s.fail("no value")
	}
	if s.peek() == 'N' {
		return s.literal("NaN")
	}
	return s.literal("Infinity")
}

// open enters an array or an object.
func (s *scanner) open() error {
	if s.depth == maxDepth {
		return s.fail("nested too deep")
	}
	s.depth++
	s.pos++
	s.space()
	return s.spend(workNest)
}

func (s *scanner) close() {
	s.depth--
	s.pos++
}

// comma reports whether another element follows before the closing bracket.
func (s *scanner) comma(bracket byte) (bool, error) {
	s.space()
	switch s.peek() {
	case bracket:
		return false, nil
	case ',':
		s.pos++
		s.space()
		return true, nil
	}
	return false, s.fail("no comma or closing bracket")
}

func (s *scanner) array() error {
	if err := s.open(); err != nil {
		return err
	}
	for more := s.peek() != ']'; more; {
		err := s.value()
		if err != nil {
			return err
		}
		if more, err = s.comma(']'); err != nil {
			return err
		}
	}
	s.close()
	return nil
}
