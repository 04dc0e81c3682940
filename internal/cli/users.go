package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"didit-temporal/kyc"
)

// columns are those that a file of users may have.
var columns = []string{"user_id", "language", "return_url", "workflow_id"}

// userList is the users of a bulk start.
type userList struct {
	users      []kyc.Input
	duplicates int // lines left out because their user came before
}

// numberedUsers returns user-1 to user-n.
func numberedUsers(n int) userList {
	users := make([]kyc.Input, n)
	for i := range users {
		users[i].UserID = fmt.Sprintf("user-%d", i+1)
	}
	return userList{users: users}
}

// readUsers reads a file of users, or stdin for "-".
func readUsers(ctx context.Context, name string, stdin io.Reader) (userList, error) {
	text, err := readText(ctx, name, stdin)
	if errors.Is(err, errInterrupted) {
		return userList{}, err
	}
	if err != nil {
		return userList{}, fmt.Errorf("read the users: %w", err)
	}
	if name == "-" {
		name = "standard input"
	}
	list, err := parseUsers(text)
	if err != nil {
		return userList{}, fmt.Errorf("nothing was started, %s has bad lines:\n%w", name, err)
	}
	if len(list.users) == 0 {
		return userList{}, fmt.Errorf("%s names no user: want a user id on each line, or CSV with the header %s",
			name, strings.Join(columns, ","))
	}
	return list, nil
}

func readText(ctx context.Context, name string, stdin io.Reader) (string, error) {
	if name != "-" {
		b, err := os.ReadFile(name) //nolint:gosec // the file that the caller names is the point
		return string(b), err
	}
	return await(ctx, func() (string, error) {
		b, err := io.ReadAll(stdin)
		return string(b), err
	})
}

// parseUsers reads CSV with a header, or bare user ids. The error joins one per bad line.
func parseUsers(text string) (userList, error) {
	p := parser{seen: map[string]bool{}}
	var bad []error
	number, more := 0, 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // spreadsheets write a byte order mark
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.line(line); err != nil && len(bad) == maxBad {
			more++
		} else if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", number, err))
		}
		if p.lost {
			break
		}
	}
	if more > 0 {
		bad = append(bad, fmt.Errorf("and %d more", more))
	}
	return p.list, errors.Join(bad...)
}

// maxBad is how many bad lines are reported. A file of the wrong kind has nothing but bad lines.
const maxBad = 20

type parser struct {
	header []string // nil before the first line
	lost   bool     // the header is wrong, so no other line can be checked
	seen   map[string]bool
	list   userList
}

func (p *parser) line(line string) error {
	fields, err := split(line)
	if err != nil {
		return err
	}
	if p.header == nil {
		p.header = columns[:1]
		if names, _ := split(strings.ToLower(line)); slices.Contains(names, columns[0]) { // as well formed as the line
			p.header, err = names, checkHeader(names)
			p.lost = err != nil
			return err
		}
	}
	if len(fields) != len(p.header) {
		return fmt.Errorf("it has %d fields, want %d: %s (a file with more columns than user_id needs a header)",
			len(fields), len(p.header), strings.Join(p.header, ","))
	}
	in := p.input(fields)
	if err := check(in); err != nil {
		return err
	}
	if p.seen[in.UserID] {
		p.list.duplicates++
		return nil
	}
	p.seen[in.UserID] = true
	p.list.users = append(p.list.users, in)
	return nil
}

// split cuts one line. Each is parsed alone, so that a quote that is never closed spoils no other line.
func split(line string) ([]string, error) {
	fields, err := cut(line)
	if err != nil {
		return nil, err
	}
	for i, f := range fields {
		fields[i] = strings.TrimSpace(f)
	}
	if strings.ContainsAny(fields[0], ";\t") {
		return nil, errors.New("columns are separated by commas, not by semicolons or tabs")
	}
	return fields, nil
}

func cut(line string) ([]string, error) {
	if !strings.Contains(line, `"`) { // a reader for each of 100,000 lines costs half a gigabyte of garbage
		return strings.Split(line, ","), nil
	}
	r := csv.NewReader(strings.NewReader(line))
	r.TrimLeadingSpace = true
	fields, err := r.Read()
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, wrong.Err // without the text around it
	}
	return fields, err
}

func checkHeader(header []string) error {
	for i, name := range header {
		switch {
		case !slices.Contains(columns, name):
			return fmt.Errorf("column %d of the header is unknown; the columns are %s", i+1, strings.Join(columns, ", "))
		case slices.Contains(header[:i], name):
			return fmt.Errorf("the header names %s twice", name)
		}
	}
	return nil
}

func (p *parser) input(fields []string) kyc.Input {
	var in kyc.Input
	for i, name := range p.header {
		switch name {
		case "user_id":
			in.UserID = fields[i]
		case "language":
			in.Language = fields[i]
		case "return_url":
			in.ReturnURL = fields[i]
		case "workflow_id":
			in.WorkflowID = fields[i]
		}
	}
	return in
}
