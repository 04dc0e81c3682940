package didit

import (
	"math"
	"strconv"
)

// A float of more than exactDigits significant digits, or of 2^63 and more, cannot be converted with machine words:
// one takes up to 30 microseconds. A body whose sender is not known yet may hold maxCostly of them.
const (
	exactDigits = 19
	maxCostly   = 512
)

// number reads a number by the grammar of RFC 8259, section 6.
func (s *scanner) number() error {
	from, float := s.pos, false
	if s.peek() == '-' {
		s.pos++
	}
	zero := s.peek() == '0'
	if n := s.digits(); n == 0 || zero && n > 1 {
		return s.fail("bad number")
	}
	if s.peek() == '.' {
		s.pos++
		if float = true; s.digits() == 0 {
			return s.fail("bad number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c = s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if float = true; s.digits() == 0 {
			return s.fail("bad number")
		}
	}
	if s.canon.on {
		return s.canonNumber(from, float)
	}
	return nil
}

func (s *scanner) digits() (n int) {
	for rest := s.src[s.pos:]; n < len(rest) && isDigit(rest[n]); {
		n++
	}
	s.pos += n
	return n
}

// canonNumber puts the number that starts at from into canonical form. Integers stay as they are, however long,
// except that Python's -0 is 0. Python reads a float too large for 64 bits as infinite, which JSON cannot say: refused.
func (s *scanner) canonNumber(from int, float bool) error {
	literal := s.src[from:s.pos]
	if !float {
		if string(literal) == "-0" {
			s.omit(from)
			s.canon.out = append(s.canon.out, '0')
		}
		return nil
	}
	long := significantDigits(literal) > exactDigits
	if long && !s.payCostly() {
		return s.fail("too many costly numbers")
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return s.fail("number out of range")
	}
	if !long && math.Abs(f) >= 1<<63 && !s.payCostly() {
		return s.fail("too many costly numbers")
	}
	s.omit(from)
	s.canon.out = appendPythonFloat(s.canon.out, f)
	return nil
}

func (s *scanner) payCostly() bool {
	s.canon.costly++
	return s.canon.costly <= maxCostly
}

// significantDigits counts the digits of a float's mantissa from the first that is not zero.
func significantDigits(literal []byte) (n int) {
	for _, c := range literal {
		switch {
		case c == 'e' || c == 'E':
			return n
		case isDigit(c) && (n > 0 || c != '0'):
			n++
		}
	}
	return n
}

// appendPythonFloat writes f as an exact integer if it is whole (Didit's shorten_floats), else like Python's repr.
func appendPythonFloat(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case f == math.Trunc(f) && abs < 1<<63:
		return strconv.AppendInt(dst, int64(f), 10)
	case f == math.Trunc(f):
		return strconv.AppendFloat(dst, f, 'f', 0, 64)
	case abs < 1e-4:
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}
