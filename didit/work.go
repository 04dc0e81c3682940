package didit

import (
	"math/bits"
)

// What the steps towards a canonical text cost, in units of about a nanosecond on the machine where one byte of
// HMAC-SHA256 costs half a unit. A body is not known to be Didit's before its canonical text is there, so the work for it is
// rationed: TestEveryBodyIsRefusedWithinTheBound holds the sum against the time that the HMAC takes.
const (
	workValue     = 10     // a value, its comma, and white space there is none of
	workNest      = 12     // entering and leaving an array or an object
	workMember    = 46     // a key and the place of its value
	workSort      = 24     // a member of an object whose keys are out of order, and as much for each time their number doubles
	workSpace     = 14     // white space that is left out
	workChange    = 24     // a stretch of the source that is written in another way
	workFloat     = 260    // a float that machine words can hold
	workHalfWay   = 2_000  // one that may lie half way between two numbers that machine words can hold
	workHuge      = 2_500  // one of 2^63 and more, written out
	workHardFloat = 30_000 // one that takes arithmetic on decimal digits
)

// A canonical text may take workFloor and workPerByte units for each byte of the body. A decision that is full of short fields
// takes 3 units a byte as Didit sends it, and 4 where a proxy has indented it and turned the order of its keys around, so
// that the floor alone is enough for 200 KB of it.
const (
	workFloor   = 640 << 10
	workPerByte = 3
)

// workLimit is what a body of n bytes whose sender is not known may cost.
func workLimit(n int) int { return workFloor + workPerByte*n }

// pay takes the units from what is left. Without a canonical text in the making nothing is counted.
func (s *scanner) pay(units int) error {
	if !s.canon.on {
		return nil
	}
	if s.canon.work -= units; s.canon.work < 0 {
		return s.fail("more work than a body of this length may take")
	}
	return nil
}

// payForSorting pays for putting members in order: of n members each is compared about as often as n can be halved, over as
// many bytes as its key has.
func (s *scanner) payForSorting(members []member) error {
	if !s.canon.on {
		return nil
	}
	bytes := 0
	for _, m := range members {
		bytes += int(m.key.to - m.key.from)
	}
	return s.pay((len(members)*workSort + bytes/8) * (1 + bits.Len(uint(len(members)))))
}
