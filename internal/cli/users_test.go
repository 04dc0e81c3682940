package cli

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/kyc"
)

func TestUsersAreParsed(t *testing.T) {
	const flow = "11111111-2222-4333-8444-555555555555"
	u := func(ids ...string) (users []kyc.Input) {
		for _, id := range ids {
			users = append(users, kyc.Input{UserID: id})
		}
		return users
	}
	for name, tc := range map[string]struct {
		text       string
		want       []kyc.Input
		duplicates int
	}{
		"bare ids":                       {"u1\nu2\nu3\n", u("u1", "u2", "u3"), 0},
		"no line break at the end":       {"u1\nu2", u("u1", "u2"), 0},
		"blank lines and comments":       {"# people\n\nu1\n   \n  # more\nu2\n", u("u1", "u2"), 0},
		"Windows line ends":              {"user_id\r\nu1\r\n\r\nu2\r\n", u("u1", "u2"), 0},
		"a byte order mark":              {"\ufeffuser_id\nu1\n", u("u1"), 0},
		"a header alone with its ids":    {"user_id\nu1\n", u("u1"), 0},
		"a header in capitals":           {"User_ID,Language\nu1,en\n", []kyc.Input{{UserID: "u1", Language: "en"}}, 0},
		"a header after a comment":       {"# by hand\nuser_id,language\nu1,\n", u("u1"), 0},
		"spaces around the fields":       {"user_id , language\n u1 , en \n", []kyc.Input{{UserID: "u1", Language: "en"}}, 0},
		"every column":                   {"user_id,language,return_url,workflow_id\nu1,pt-BR,https://shop.example/a?b=1," + flow + "\n", []kyc.Input{{UserID: "u1", Language: "pt-BR", ReturnURL: "https://shop.example/a?b=1", WorkflowID: flow}}, 0},
		"columns in another order":       {"language,user_id\nen,u1\n", []kyc.Input{{UserID: "u1", Language: "en"}}, 0},
		"a quoted comma":                 {"user_id,return_url\nu1,\"https://shop.example/a,b\"\n", []kyc.Input{{UserID: "u1", ReturnURL: "https://shop.example/a,b"}}, 0},
		"duplicates, the first counts":   {"user_id,language\nu1,en\nu2,\nu1,fr\nu1,en\n", []kyc.Input{{UserID: "u1", Language: "en"}, {UserID: "u2"}}, 2},
		"ids that differ in case differ": {"u1\nU1\n", u("u1", "U1"), 0},
		"a header that comes too late":   {"u1\nuser_id\n", u("u1", "user_id"), 0},
		"nothing":                        {"", nil, 0},
		"a header and nothing":           {"user_id,language\n", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := parseUsers(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.want, list.users)
			assert.Equal(t, tc.duplicates, list.duplicates)
		})
	}
}

func TestBadLinesAreFound(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"an e-mail address":            {"u1\neve@hunter2.example\n", "line 2: user_id has a character that is not allowed at position 4"},
		"an empty user":                {"user_id,language\n,en\n", "line 2: user_id is empty"},
		"a bad language":               {"user_id,language\nu1,hunter2!\n", "line 2: language is not a language code"},
		"a bad URL":                    {"user_id,return_url\nu1,hunter2\n", "line 2: return_url is not an absolute http or https URL"},
		"a bad flow":                   {"user_id,workflow_id\nu1,hunter2\n", "line 2: workflow_id is not a UUID"},
		"more fields than the header":  {"user_id,language\nu1,en,hunter2\n", "line 2: it has 3 fields, want 2: user_id,language"},
		"fewer fields than the header": {"user_id,language\nu1\n", "line 2: it has 1 fields, want 2: user_id,language"},
		"fields without a header":      {"u1,en\n", "line 1: it has 2 fields, want 1: user_id (a file with more columns than user_id needs a header)"},
		"a quote that stays open":      {"u1\n\"hunter2\nu3\n", `line 2: extraneous or missing " in quoted-field`},
		"a quote in the middle":        {"user_id,language\nu1,e\"n\n", `line 2: bare " in non-quoted-field`},
		"semicolons":                   {"user_id;language\nu1;hunter2\n", "line 1: columns are separated by commas"},
		"an unknown column":            {"user_id,hunter2\nu1,x\n", "line 1: column 2 of the header is unknown; the columns are user_id, language, return_url, workflow_id"},
		"a column twice":               {"user_id,language,language\nu1,en,en\n", "line 1: the header names language twice"},
		"text in UTF-16":               {"\xff\xfeu\x001\x00\n", "line 1: user_id has a character that is not allowed at position 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseUsers(tc.text)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2", "what is in the file was printed")
		})
	}
}

func TestEveryBadLineIsReportedBeforeAnythingStarts(t *testing.T) {
	b := bench{stdin: "user_id,language\nu1,en\nu 2,en\n\n# a comment\nu3,?\nu4,en\n\"u5,en\n"}
	err := b.line(t, "bulk --file -")
	var numbers []string
	for line := range strings.Lines(err.Error()) {
		number, _, _ := strings.Cut(line, ":")
		numbers = append(numbers, number)
	}
	assert.Equal(t, []string{"nothing was started, standard input has bad lines", "line 3", "line 6", "line 8"}, numbers)
	assert.Zero(t, b.dials)
}

// Lines below a wrong header cannot be judged, so they must not drown what is wrong.
func TestWrongHeaderIsReportedAlone(t *testing.T) {
	_, err := parseUsers("user_id,name\nu1,x\nu@,y\n")
	assert.Equal(t, 1, strings.Count(err.Error(), "line "))
}

func TestFileWithoutUsers(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comments": "# no user\n\n", "a header": "user_id\n"} {
		t.Run(name, func(t *testing.T) {
			b := bench{stdin: text}
			require.ErrorContains(t, b.line(t, "bulk --file -"), "standard input names no user: want a user id on each line, or CSV with the header user_id,language")
			assert.Zero(t, b.dials)
		})
	}
}

func TestReadingStandardInputCanBeInterrupted(t *testing.T) {
	nobodyTypes, end := io.Pipe()
	t.Cleanup(func() { _ = end.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := readUsers(ctx, "-", nobodyTypes)
	assert.Equal(t, errInterrupted, err)
}

func TestNumberedUsersAreValid(t *testing.T) {
	users := numberedUsers(100).users
	assert.Len(t, users, 100)
	assert.Equal(t, "user-1", users[0].UserID)
	assert.Equal(t, "user-100", users[99].UserID)
	for _, in := range users {
		require.NoError(t, check(in))
	}
}
