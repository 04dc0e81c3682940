// Package envfile reads and changes a file of NAME=value lines, as docker compose and a shell read it. What it does not
// change stays the same, byte for byte: comments, order, other variables.
package envfile

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// File is the content of an env file, in memory until Save.
type File struct {
	path   string
	lines  []line
	loaded []byte      // what the disk had, to notice a concurrent change
	mode   fs.FileMode // of the file as it was found
	exists bool
}

// line is one line of the file with its line break. The name is empty where nothing is set.
type line struct {
	text        string
	name, value string
}

// assignment is NAME=value, perhaps after export. Compose and shells take no space around the sign.
var assignment = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// comment begins behind a value that has no quotes.
var comment = regexp.MustCompile(`[ \t]#`)

// parse splits content into lines. Errors name a line and never what it holds.
func parse(content []byte) ([]line, error) {
	var all []line
	for text := range strings.Lines(string(content)) {
		l := line{text: text}
		bare := strings.TrimRight(text, "\r\n")
		if m := assignment.FindStringSubmatch(bare); m != nil {
			value, err := unquote(m[2])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", len(all)+1, err)
			}
			l.name, l.value = m[1], value
		}
		all = append(all, l)
	}
	return all, nil
}

// unquote reads a value as a shell would that expands nothing.
func unquote(raw string) (string, error) {
	raw = strings.TrimLeft(raw, " \t")
	switch {
	case strings.HasPrefix(raw, "'"):
		value, rest, closed := strings.Cut(raw[1:], "'")
		return value, checkRest(closed, rest)
	case strings.HasPrefix(raw, `"`):
		return unquoteDouble(raw[1:])
	case strings.HasPrefix(raw, "#"):
		return "", nil
	}
	if at := comment.FindStringIndex(raw); at != nil {
		raw = raw[:at[0]]
	}
	return strings.TrimSpace(raw), nil
}

func unquoteDouble(raw string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			return b.String(), checkRest(true, raw[i+1:])
		case c == '\\' && i+1 < len(raw) && strings.IndexByte("\"\\$`", raw[i+1]) >= 0:
			i++
			b.WriteByte(raw[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", checkRest(false, "")
}

// checkRest refuses what a shell reads differently.
func checkRest(closed bool, rest string) error {
	rest = strings.TrimLeft(rest, " \t")
	switch {
	case !closed:
		return fmt.Errorf("a quote is not closed on the line where it begins")
	case rest != "" && rest[0] != '#':
		return fmt.Errorf("something follows a closing quote")
	}
	return nil
}

// Path is where the file is, or will be.
func (f *File) Path() string { return f.path }

// Lookup returns what the file sets a name to. The last assignment wins, as in a shell.
func (f *File) Lookup(name string) (string, bool) {
	for _, l := range slices.Backward(f.lines) {
		if l.name == name {
			return l.value, true
		}
	}
	return "", false
}

// Get is Lookup without the difference between unset and empty.
func (f *File) Get(name string) string {
	value, _ := f.Lookup(name)
	return value
}

// Environ returns each assignment as NAME=value, in the order of the file.
func (f *File) Environ() []string {
	var all []string
	for _, l := range f.lines {
		if l.name != "" {
			all = append(all, l.name+"="+l.value)
		}
	}
	return all
}

// Unreadable is the number of the first line that sets nothing although it is neither blank nor a comment, such as "A = b"; 0
// if there is none.
func (f *File) Unreadable() int {
	for i, l := range f.lines {
		if text := strings.TrimSpace(l.text); l.name == "" && text != "" && text[0] != '#' {
			return i + 1
		}
	}
	return 0
}

// plain is what no shell and no compose changes.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:,@%+=-]*$`)

// Set replaces the value of a name where it stands, or adds a line at the end. It refuses a value that a shell and
// compose would not both read back.
func (f *File) Set(name, value string) error {
	quoted := value
	switch {
	case !assignment.MatchString(name + "="):
		return fmt.Errorf("%q is not the name of a variable", name)
	case strings.ContainsAny(value, "'\r\n\x00"):
		return fmt.Errorf("the value of %s has a quote or a line break, which an env file cannot hold", name)
	case !plain.MatchString(value):
		quoted = "'" + value + "'"
	}
	for i, l := range slices.Backward(f.lines) {
		if l.name != name {
			continue
		}
		if l.value != value {
			head, _, _ := strings.Cut(l.text, "=")
			f.lines[i] = line{head + "=" + quoted + l.text[len(strings.TrimRight(l.text, "\r\n")):], name, value}
		}
		return nil
	}
	f.endLine()
	f.lines = append(f.lines, line{text: name + "=" + quoted + f.lineBreak(), name: name, value: value})
	return nil
}

// endLine gives the last line the break that an editor may have left out.
func (f *File) endLine() {
	if n := len(f.lines); n > 0 && !strings.HasSuffix(f.lines[n-1].text, "\n") {
		f.lines[n-1].text += f.lineBreak()
	}
}

func (f *File) lineBreak() string {
	if len(f.lines) > 0 && strings.HasSuffix(f.lines[0].text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

func (f *File) bytes() []byte {
	var b bytes.Buffer
	for _, l := range f.lines {
		b.WriteString(l.text)
	}
	return b.Bytes()
}
