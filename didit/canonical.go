package didit

import (
	"slices"
	"unicode/utf8"
)

// canonical is the text that X-Signature-V2 signs: what Python's json.dumps(shorten_floats(value), sort_keys=True,
// separators=(",", ":"), ensure_ascii=False) writes (https://docs.didit.me/integration/webhooks). It grows while the
// scanner reads, in the order of the source: parts of the source that are canonical are copied as they are. A last pass puts
// the keys of all objects in order at once, so that the work stays linear however deep such objects nest.
type canonical struct {
	on      bool
	out     []byte
	copied  int      // the source up to here is in out, or is omitted
	objects []object // those that are not empty, in the order of their beginnings
	sorted  []member // the members of the objects that were out of order, now in order
	final   []byte   // the text with those objects in order
	budget  int      // the units of work that are left; see work.go
}

// object is the text between two braces.
type object struct {
	start, end  int32
	first, last int32 // its members in canonical.sorted; none if they were in order
	next        int32 // the first object that begins after this one has ended
}

// canonicalText scans src and returns its canonical text, which is valid until the scanner is released. It fails if that
// takes more than limit units of work.
func (s *scanner) canonicalText(limit int) ([]byte, error) {
	s.canon.on, s.canon.budget = true, limit
	if err := s.scan(); err != nil {
		return nil, err
	}
	text := s.src
	if s.canon.copied > 0 {
		s.canon.out = append(s.canon.out, s.src[s.canon.copied:]...)
		text = s.canon.out
	}
	if len(s.canon.sorted) > 0 {
		s.canon.final = slices.Grow(s.canon.final, len(text))
		s.canon.appendOrdered(text, member{end: int32(len(text))})
		text = s.canon.final
	}
	return text, nil
}

// at is the position in the canonical text that corresponds to pos.
func (s *scanner) at() int32 { return int32(len(s.canon.out) + s.pos - s.canon.copied) }

// omit leaves the source between from and pos out of the canonical text.
func (s *scanner) omit(from int) {
	if s.canon.copied == 0 {
		s.canon.out = slices.Grow(s.canon.out, len(s.src))
	}
	s.canon.out = append(s.canon.out, s.src[s.canon.copied:from]...)
	s.canon.copied = s.pos
}

// beginObject records the start of an object and returns its index for endObject.
func (s *scanner) beginObject() (index int) {
	if s.canon.on {
		s.canon.objects = append(s.canon.objects, object{start: s.at()})
	}
	return len(s.canon.objects) - 1
}

// endObject records the end of an object, and its sorted members if they were out of order.
func (s *scanner) endObject(index int, members []member) {
	if !s.canon.on {
		return
	}
	o := &s.canon.objects[index]
	o.end, o.next, o.first = s.at(), int32(len(s.canon.objects)), int32(len(s.canon.sorted))
	s.canon.sorted = append(s.canon.sorted, members...)
	o.last = int32(len(s.canon.sorted))
}

// appendOrdered appends a part of text to final. The objects in it that were out of order are written member by member.
func (c *canonical) appendOrdered(text []byte, part member) {
	from, next := part.start, part.inner
	for int(next) < len(c.objects) && c.objects[next].start < part.end {
		o := c.objects[next]
		if o.first == o.last {
			next++
			continue
		}
		c.final = append(c.final, text[from:o.start]...)
		for i, m := range c.sorted[o.first:o.last] {
			if i > 0 {
				c.final = append(c.final, ',')
			}
			c.appendOrdered(text, m)
		}
		from, next = o.end, o.next
	}
	c.final = append(c.final, text[from:part.end]...)
}

// pythonEscapes has what Python writes behind a backslash for a character, or 0 where it writes something else.
var pythonEscapes = [utf8.RuneSelf]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// appendPythonRune writes a character of a string as Python's json does without ensure_ascii.
func appendPythonRune(dst []byte, r rune) []byte {
	if r < utf8.RuneSelf && pythonEscapes[r] != 0 {
		return append(dst, '\\', pythonEscapes[r])
	}
	if r < ' ' {
		const hex = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return utf8.AppendRune(dst, r)
}
