package didit

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// maxDepth bounds how deep arrays and objects may nest. What Didit documents nests less than ten deep.
const maxDepth = 64

// maxSource is the longest source: places in it, and in its canonical text, which is at most five times as long, are
// kept in 32 bits, since moving them about is much of the work where keys are out of order.
const maxSource = 256 << 20

// What a buffer may hold to be kept for the next body.
const (
	maxPooledBytes = 256 << 10
	maxPooledItems = 16 << 10
)

// scanner reads one JSON text in a single pass and takes less than RFC 8259 does: valid UTF-8 only, no key twice in an
// object, bounded depth. A receiver that took more could read another event than the one that was signed. Beyond the RFC it
// takes what Python's json writes, which signs the bodies: NaN, Infinity and escaped lone surrogates. Neither has a canonical
// text, and a field that is read may hold neither. On the way it notes the envelope of the event and, if canon is on, prepares the canonical text.
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

// release gives the buffers back to the pool, without anything of the body in them.
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

// emptied lets a buffer go that one unusual body has made large.
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

// fail says what is wrong and where, and never what stands there.
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

// space skips white space; as Didit sends it, there is none.
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
		s.canon.work -= workSpace // the next value sees it
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) value() error {
	if err := s.pay(workValue); err != nil {
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

// notFinite reads one of Python's words for floats that JSON cannot say, with the sign already read.
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
	return s.pay(workNest)
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
