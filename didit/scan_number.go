package didit

import (
	"math"
	"math/big"
	"strconv"
)

// A float of at most quickDigits significant digits and a decimal exponent of at most quickExponent either way is
// converted with machine words, unless it lies half way between two floats: that takes more than exactDigits digits, of which at
// most four are behind the point. All others may fall back to arithmetic on up to 800 decimal digits.
const (
	exactDigits     = 15
	quickDigits     = 19
	quickExponent   = 250
	halfWayExponent = 14
)

// number reads a number by the grammar of RFC 8259, section 6.
func (s *scanner) number() error {
	from, float := s.pos, false
	if s.peek() == '-' {
		if s.pos++; s.peek() == 'I' {
			return s.notFinite()
		}
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
// except that Python's -0 is 0. Python reads a float too large for 64 bits as infinite, which JSON does not have: refused.
func (s *scanner) canonNumber(from int, float bool) error {
	literal := s.src[from:s.pos]
	if !float {
		if string(literal) != "-0" {
			return nil
		}
		s.omit(from)
		s.canon.out = append(s.canon.out, '0')
		return s.spend(workChange)
	}
	if err := s.spend(floatWork(literal)); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return s.fail("number out of range")
	}
	if math.Abs(f) >= 1<<63 {
		if err := s.spend(workHuge); err != nil {
			return err
		}
	}
	s.omit(from)
	s.canon.out = appendPythonFloat(s.canon.out, f)
	return nil
}

// floatWork is the most work that reading and writing the float takes.
func floatWork(literal []byte) int {
	switch digits, exponent := magnitude(literal); {
	case digits > quickDigits, exponent < -quickExponent, exponent > quickExponent:
		return workHardFloat + len(literal)
	case digits > exactDigits && exponent >= halfWayExponent:
		return workHalfWay
	}
	return workFloat + len(literal)
}

// magnitude counts the significant digits of a float and returns the power of ten of the first one. Zero has no digits
// and an exponent of no meaning.
func magnitude(literal []byte) (digits, exponent int) {
	fraction := false
	for i, c := range literal {
		switch c {
		case '.':
			fraction = true
		case 'e', 'E':
			e, _ := strconv.Atoi(string(literal[i+1:])) // by the grammar it can only be too large
			return digits, exponent + min(max(e, -maxSource), maxSource)
		case '-':
		default:
			if digits > 0 || c != '0' {
				digits++
			}
			if !fraction && digits > 1 {
				exponent++
			}
			if fraction && digits <= 1 && (digits == 0 || c != '0') {
				exponent--
			}
		}
	}
	return digits, exponent
}

// appendPythonFloat writes f as an exact integer if it is whole (Didit's shorten_floats), else like Python's repr.
func appendPythonFloat(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case f == math.Trunc(f) && abs < 1<<63:
		return strconv.AppendInt(dst, int64(f), 10)
	case f == math.Trunc(f):
		return appendHuge(dst, f)
	case abs < 1e-4:
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// appendHuge writes a whole number of 2^63 or more. strconv takes ten times as long for it.
func appendHuge(dst []byte, f float64) []byte {
	mantissa, exponent := math.Frexp(f) // f is mantissa * 2^exponent
	whole := big.NewInt(int64(math.Ldexp(mantissa, 53)))
	return whole.Lsh(whole, uint(exponent-53)).Append(dst, 10)
}
