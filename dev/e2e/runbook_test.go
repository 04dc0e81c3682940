package e2e

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/dev/skip"
	"didit-temporal/kyc"
)

// The runbook's lists are for the worst hour: the server takes each query, and each link is the query beside it.
func TestTheRunbooksQueriesWork(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.begin("listed")
	b, err := os.ReadFile("../../docs/operations/runbook.md")
	require.NoError(t, err)
	_, chapter, _ := strings.Cut(string(b), "\n## Ready lists\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([^`]+)` \\| (?:\\[open\\]\\(([^)]+)\\))? \\|$").FindAllStringSubmatch(chapter, -1)
	require.Len(t, rows, strings.Count(chapter, "\n| ")-1, "a row of another form")
	word := regexp.MustCompile(`'[A-Z_]+'`)
	count := func(query string) (int64, error) {
		query = word.ReplaceAllString(query, "'"+time.Now().UTC().Format(time.RFC3339)+"'")
		n, err := s.Temporal().CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.Namespace(), Query: query})
		return n.GetCount(), err
	}
	for _, row := range rows {
		_, err := count(row[1])
		assert.NoError(t, err, row[1])
		if row[2] != "" {
			link, err := url.Parse(row[2])
			require.NoError(t, err)
			assert.Equal(t, row[1], link.Query().Get("query"))
		}
	}
	_, err = count("NoSuchAttribute = 'x'")
	assert.Error(t, err, "the control")
	s.eventually(func() bool {
		n, err := count("ExecutionStatus = 'Running' AND WorkflowType = 'Verification' AND StartTime < 'YESTERDAY'")
		return err == nil && n == 1
	}, kyc.WorkflowID("listed")+" is in the list")
}
