package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"didit-temporal/internal/atomicfile"
)

// resultColumns are those of the file that a bulk start leaves behind.
var resultColumns = []string{"user_id", "session_id", "url", "status", "error"}

// resultsBeside names the file of results of a file of users: users.results.csv of users.csv.
func resultsBeside(users string) string {
	if users == "" || users == "-" {
		return ""
	}
	return strings.TrimSuffix(users, filepath.Ext(users)) + ".results.csv"
}

// results is the file of a bulk start's results. Without a name it forgets everything.
type results struct {
	name string
	kept []string // lines from before, without those of users who failed
	done map[string]bool
	file *os.File
	lost error // a write that failed, after which nothing is added: half a line may stand at the end
}

// readResults reads the results of earlier runs, and changes nothing.
func readResults(name string) (*results, error) {
	r := &results{name: name, done: map[string]bool{}}
	if name == "" {
		return r, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return nil, r.wrong("read", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file; name another for the results with --results", name)
	}
	text, err := os.ReadFile(name) //nolint:gosec // the file that the caller names is the point
	if err != nil {
		return nil, r.wrong("read", err)
	}
	return r, r.parse(string(text))
}

func (r *results) parse(text string) error {
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // spreadsheets write a byte order mark
		number++
		whole := strings.HasSuffix(line, "\n")
		line = strings.TrimSpace(line)
		fields, err := split(line)
		switch {
		case number == 1 && (err != nil || !slices.Equal(fields, resultColumns)):
			return fmt.Errorf("%s is no file of results (its first line is not %s), so it is not changed; name another file with --results",
				r.name, strings.Join(resultColumns, ","))
		case number == 1, !whole, line == "": // a crash may cut the last line off: that user is asked for again
			continue
		case err == nil && len(fields) != len(resultColumns):
			err = fmt.Errorf("it has %d fields, want %d", len(fields), len(resultColumns))
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w; fix the line or remove it", r.name, number, err)
		}
		r.keep(fields, line)
	}
	return nil
}

// keep drops failed users, to be tried again.
func (r *results) keep(fields []string, line string) {
	if user, failure := fields[0], fields[len(fields)-1]; failure == "" && !r.done[user] {
		r.done[user] = true
		r.kept = append(r.kept, line)
	}
}

// begin writes what is kept as a new file in the place of the old, so that no crash leaves half of it, and opens it. URLs are
// secrets, so no other user can read it.
func (r *results) begin() error {
	if r.name == "" {
		return nil
	}
	lines := append([]string{strings.Join(resultColumns, ",")}, r.kept...)
	err := atomicfile.Replace(r.name, []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		return r.wrong("write", err)
	}
	r.kept = nil
	if r.file, err = os.OpenFile(r.name, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return r.wrong("write", err)
	}
	return nil
}

// add appends one line by one write, which a killed process has done or not. A line that is lost with the machine costs
// nothing: the user is joined by the next run.
func (r *results) add(done result) error {
	if r.file == nil || r.lost != nil {
		return r.lost
	}
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	if err := w.Write(resultFields(done)); err != nil {
		return r.wrong("write", err)
	}
	w.Flush()
	if _, err := r.file.Write(line.Bytes()); err != nil {
		r.lost = r.wrong("write", err)
	}
	return r.lost
}

func resultFields(r result) []string {
	if r.err != nil {
		return []string{r.userID, "", "", "", strings.Join(strings.Fields(r.reason()), " ")} // one line, whatever the error
	}
	s := r.started
	return []string{r.userID, sessionID(s), s.Session.URL, string(s.State.Status), ""}
}

func (r *results) end() error {
	if r.file == nil {
		return nil
	}
	if err := errors.Join(r.file.Sync(), r.file.Close()); err != nil {
		return r.wrong("write", err)
	}
	return nil
}

func (r *results) wrong(what string, err error) error {
	return fmt.Errorf("%s the results: %w; --results FILE names another place for them", what, err)
}
