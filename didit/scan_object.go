package didit

import (
	"bytes"
	"slices"
)

// member is one member of an object: its key, and its position in the canonical text.
type member struct {
	key        span
	start, end int32
	inner      int32 // the first object that begins at start or later
}

// object compares each key with the one before: ascending keys, which is how Didit sends them, are different keys.
// Only an object with keys in another order is sorted to find a repeated one.
func (s *scanner) object() error {
	if err := s.open(); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.close()
		return nil
	}
	index, first, sorted := s.beginObject(), len(s.members), true
	var last []byte
	for more := true; more; {
		key, err := s.member()
		if err != nil {
			return err
		}
		sorted = sorted && (len(s.members) == first+1 || bytes.Compare(last, key) < 0)
		last = key
		if more, err = s.comma('}'); err != nil {
			return err
		}
	}
	members := s.members[first:]
	if sorted {
		members = nil
	} else if err := s.order(members); err != nil {
		return err
	}
	s.endObject(index, members)
	s.members = s.members[:first]
	s.close()
	return nil
}

// member reads a member, appends it to members and returns its key.
func (s *scanner) member() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail("no key")
	}
	start, inner := s.at(), int32(len(s.canon.objects))
	name, err := s.text()
	if err != nil {
		return nil, err
	}
	if name.escaped {
		name = s.decodeKey(name)
		if err := s.spend(workChange); err != nil {
			return nil, err
		}
	}
	key := s.keyBytes(name)
	if err := s.colon(); err != nil {
		return nil, err
	}
	if s.depth == 1 {
		s.enterField(key)
	}
	from := int32(s.pos)
	if err := s.value(); err != nil {
		return nil, err
	}
	if s.depth <= 2 {
		s.noteField(key, span{from: from, to: int32(s.pos)})
	}
	s.members = append(s.members, member{key: name, start: start, end: s.at(), inner: inner})
	return key, s.spend(workMember)
}

func (s *scanner) colon() error {
	s.space()
	if s.peek() != ':' {
		return s.fail("no colon")
	}
	s.pos++
	s.space()
	return nil
}

// order sorts the members of an object by key. A repeated key is an error.
func (s *scanner) order(members []member) error {
	if err := s.spendOnSorting(members); err != nil {
		return err
	}
	slices.SortFunc(members, s.compare)
	for i := 1; i < len(members); i++ {
		if s.compare(members[i-1], members[i]) == 0 {
			return s.fail("repeated key in the object that ends")
		}
	}
	return nil
}

// compare orders by UTF-8 bytes, which is Python's order: by code point.
func (s *scanner) compare(a, b member) int {
	return bytes.Compare(s.keyBytes(a.key), s.keyBytes(b.key))
}

func (s *scanner) keyBytes(key span) []byte {
	if key.escaped {
		return s.keys[key.from:key.to]
	}
	return s.src[key.from:key.to]
}

func (s *scanner) decodeKey(key span) span {
	from := int32(len(s.keys))
	s.keys = appendDecoded(s.keys, s.src[key.from:key.to])
	return span{from: from, to: int32(len(s.keys)), escaped: true}
}
