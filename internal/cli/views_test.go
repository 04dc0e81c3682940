package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

func TestViewsHaveTheirTimesAndLinks(t *testing.T) {
	all := viewsOf(viewsScript, "https://ui.example", "kyc x", time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC))
	require.Len(t, all, strings.Count(viewsScript, "`,\n"), "every view of the script")
	byName := map[string]view{}
	for _, v := range all {
		byName[v.Name] = v
		assert.NotContains(t, v.Query, "$", v.Name)
		assert.True(t, strings.HasPrefix(v.Link, "https://ui.example/namespaces/kyc%20x/workflows?query="), v.Link)
		assert.NotContains(t, v.Link, "+")
	}
	assert.Equal(t, "KycOutcome = 'failed' AND CloseTime > '2026-11-23T00:00:00Z'", byName["Got no session today"].Query)
	assert.Contains(t, byName["In review too long"].Query, "'2026-11-20T15:30:00Z'")
}

// A verification that has ended needs no action: it is in a view for as long as the view's name says, and no longer.
func TestViewsEmptyWhenTheWorkIsDone(t *testing.T) {
	for _, v := range viewsOf(viewsScript, "https://ui.example", "default", time.Now()) {
		if v.Name == "Changed afterwards" { // a record, not work
			continue
		}
		open := strings.HasPrefix(v.Query, "ExecutionStatus = 'Running'") && !strings.Contains(v.Query, " OR ")
		assert.True(t, open || strings.Contains(v.Query, " AND CloseTime > "), "%s: %s", v.Name, v.Query)
	}
}

func TestThePageShowsTheScriptOfTheCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations/observe.md")
	require.NoError(t, err)
	script := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, script)
	assert.Equal(t, viewsScript, string(script[1]))
	line := bookmarkOf(viewsScript)
	assert.True(t, strings.HasPrefix(line, "javascript:(() => {"), line[:40])
	assert.NotContains(t, line, "\n")
	assert.NotContains(t, line, "//", "a comment would take the rest of the line along")
}

func TestViewsNeedNoServer(t *testing.T) {
	var b bench
	tool := b.tool()
	tool.temporal = func() (client.Options, error) { return client.Options{Namespace: "kyc-live"}, nil }
	require.NoError(t, tool.run(t.Context(), []string{"views", "--ui", "https://ui.example/"}))
	assert.Contains(t, b.out.String(), "Needs an operator\n  ExecutionStatus = 'Running' AND KycWaitingFor = 'operator'\n  https://ui.example/namespaces/kyc-live/workflows?query=")
	assert.Zero(t, b.dials)
	assert.Equal(t, failedUsage, kindOf(b.tool().run(t.Context(), []string{"views", "--ui", "ui.example"})))
}
