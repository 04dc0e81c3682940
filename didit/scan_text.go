package didit

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string and returns the part between the quotes.
func (s *scanner) text() (span, error) {
	s.pos++
	t := span{from: int32(s.pos)}
	for {
		s.pos = plainEnd(s.src, s.pos)
		switch s.peek() {
		case '"':
			t.to = int32(s.pos)
			s.pos++
			return t, nil
		case '\\':
			t.escaped = true
			if err := s.escape(); err != nil {
				return t, err
			}
		default:
			return t, s.fail("control character in a string, or no end of it")
		}
	}
}

func (s *scanner) escape() error {
	r, size := decodeEscape(s.src[s.pos:])
	if size == 0 || s.canon.on && utf16.IsSurrogate(r) {
		return s.fail("bad escape or lone surrogate")
	}
	s.pos += size
	if s.canon.on {
		s.omit(s.pos - size)
		s.canon.out = appendPythonRune(s.canon.out, r)
	}
	return s.spend(workChange)
}

// plainEnd returns the index of the first quote, backslash or control character at i or later, or len(b).
// It tests eight bytes at a time; for the arithmetic see "Determine if a word has a byte less than n" in
// https://graphics.stanford.edu/~seander/bithacks.html. The lowest hit is always a true one.
func plainEnd(b []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^ones*'"', w^ones*'\\'
		if hit := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & tops; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// escapes has what a backslash and a character stand for, or 0 where they are no escape of that length.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// decodeEscape decodes the escape at the start of b, two of them for a surrogate pair, and returns its length, or 0 if it is
// none. A lone surrogate, which has no UTF-8 (RFC 8259, section 8.2), is returned as it is.
func decodeEscape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	if c := escapes[b[1]]; c != 0 {
		return rune(c), 2
	}
	r, ok := decodeUnit(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := decodeUnit(b[6:])
	if both := utf16.DecodeRune(r, low); ok && both != utf8.RuneError {
		return both, 12
	}
	return r, 6
}

// decodeUnit decodes \uXXXX.
func decodeUnit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendDecoded appends the text of a string that has been scanned. A lone surrogate becomes three bytes that are no UTF-8, and
// differ for each.
func appendDecoded(dst, text []byte) []byte {
	for {
		plain := bytes.IndexByte(text, '\\')
		if plain < 0 {
			return append(dst, text...)
		}
		r, size := decodeEscape(text[plain:])
		dst = append(dst, text[:plain]...)
		if utf16.IsSurrogate(r) {
			dst = append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		text = text[plain+size:]
	}
}
