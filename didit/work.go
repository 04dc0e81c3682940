package didit

import "math/bits"

// Costs of the steps towards a canonical text, in units of about a nanosecond on the machine where one byte of HMAC-SHA256
// costs half a unit. The sender of a body is unknown until its canonical text is complete, so each body has a budget:
// TestEveryBodyIsRefusedWithinTheBound compares the sum with the time of the HMAC.
const (
	workValue     = 10     // a value, its comma, and a check for white space
	workNest      = 12     // entering and leaving an array or an object
	workMember    = 46     // a key and the place of its value
	workSort      = 24     // a member of an object whose keys are out of order, once per doubling of their number
	workSpace     = 14     // white space that is omitted
	workChange    = 24     // a part of the source that is rewritten
	workFloat     = 260    // a float that machine words can hold
	workHalfWay   = 2_000  // one that may lie half way between two numbers that machine words can hold
	workHuge      = 2_500  // one of 2^63 and more, written out
	workHardFloat = 30_000 // one that takes arithmetic on decimal digits
)

// The budget is workFloor and workPerByte for each byte of the body. A decision that is full of short fields takes 3 units a
// byte as Didit sends it, and 4 if a proxy indents it and reverses its keys, so that the floor alone is enough for 200 KB of
// it.
const (
	workFloor   = 640 << 10
	workPerByte = 3
)

// workLimit is the budget of a body of n bytes from an unknown sender.
func workLimit(n int) int { return workFloor + workPerByte*n }

// spend subtracts units from the budget while a canonical text is built.
func (s *scanner) spend(units int) error {
	if !s.canon.on {
		return nil
	}
	if s.canon.budget -= units; s.canon.budget < 0 {
		return s.fail("more work than a body of this length may take")
	}
	return nil
}

// spendOnSorting subtracts the cost of sorting: each of n members is compared about log2(n) times, over the bytes of its key.
func (s *scanner) spendOnSorting(members []member) error {
	if !s.canon.on {
		return nil
	}
	bytes := 0
	for _, m := range members {
		bytes += int(m.key.to - m.key.from)
	}
	return s.spend((len(members)*workSort + bytes/8) * (1 + bits.Len(uint(len(members)))))
}
