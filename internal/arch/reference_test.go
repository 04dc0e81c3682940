package arch_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/activities"
)

// The pages of docs/reference name everything that the code names on the wire.
func TestTheReferencePagesAreComplete(t *testing.T) {
	for _, c := range []struct{ page, file, pattern string }{
		{"events.md", "didit/didit.go", `(?m)^\tStatus\w+ +Status = "([^"]+)"`},
		{"events.md", "kyc/kyc.go", `(?m)^\tOutcome\w+ +Outcome = "([^"]+)"`},
		{"events.md", "kyc/kyc.go", `(?m)^\tWaitingFor\w+ +WaitingFor = "([^"]+)"`},
		{"events.md", "kyc/result.go", `(?m)^\tResult\w+ +ResultType = "([^"]+)"`},
		{"errors.md", "kyc/errors.go", `(?m)^\tErrorType\w+ += "([^"]+)"`},
		{"errors.md", "starter/api/problem.go", `kind\{"([^"]+)", \d+`},
		{"errors.md", "internal/cli/exit.go", `failure\{"([^"]+)", \d+`},
		{"temporal.md", "kyc/kyc.go", `(?m)^\t(?:Workflow|TaskQueue|Signal|Query|Update|Attribute)\w* += "([^"]+)"`},
		{"temporal.md", "kyc/operation.go", `(?m)^\t(?:Update|Verb)\w+ +(?:Verb )?= "([^"]+)"`},
		{"temporal.md", "kyc/sweep.go", `(?m)^const \w+ = "([^"]+)"`},
	} {
		page := readRoot(t, filepath.Join("docs", "reference", c.page))
		names := regexp.MustCompile(c.pattern).FindAllStringSubmatch(readRoot(t, c.file), -1)
		assert.NotEmpty(t, names, "%s has no %s", c.file, c.pattern)
		for _, m := range names {
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("%s lacks %s of %s", c.page, m[1], c.file)
			}
		}
	}
	page, acts := readRoot(t, "docs/reference/temporal.md"), reflect.TypeFor[*activities.Activities]()
	for i := range acts.NumMethod() {
		if name := acts.Method(i).Name; !strings.Contains(page, "`"+name+"`") {
			t.Errorf("temporal.md lacks the activity %s", name)
		}
	}
}

func readRoot(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}
