//go:build browser

package chrome

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Columns does what docs/operations/observe.md tells an operator to do once: our columns and views, in this browser.
func Columns(t *testing.T, page context.Context) {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations/observe.md")
	require.NoError(t, err)
	_, script, found := strings.Cut(string(text), "\n```js\n")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "\n```\n")
	require.True(t, Evaluate[bool](t, page, script+" true"))
}

// rows are the list's rows, a cell in brackets each.
const rows = `[...document.querySelectorAll("table tr")].map(r => [...r.children].map(c => "[" + c.innerText.trim() + "]").join("")).join("\n")`

// SeesRow waits until the list has our columns and a row that holds the workflow's status and these cells, side by side.
func SeesRow(t *testing.T, page context.Context, status string, cells ...string) {
	t.Helper()
	Sees(t, page, rows, "[Status][Workflow ID][KycStatus][KycOutcome][KycWaitingFor][KycErrorType][Type][Start]",
		"["+strings.ToUpper(status)+"]["+strings.Join(cells, "][")+"]")
}
