//go:build browser

package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/chrome"
	"didit-temporal/dev/skip"
)

func TestEachSituationInTheBrowsersList(t *testing.T) {
	skip.Long(t)
	s := inEverySituation(t)
	list := s.server.UIURL + "/namespaces/default/workflows"
	page := chrome.Open(t)
	chrome.Do(t, page, chromedp.Navigate(list))
	chrome.Reads(t, page, "kyc-queued")
	chrome.Evaluate[chromedp.Void](t, page, `localStorage.setItem("navOpen", "false")`) // more room for the picture
	chrome.Columns(t, page)
	for id, want := range situations {
		s.eventually(func() bool { return s.list("")[id] == want }, id+": "+want)
	}
	chrome.Do(t, page, chromedp.Navigate(list))
	for id, want := range situations {
		if strings.Contains(id, "~") { // what follows is a UUID
			chrome.Reads(t, page, id)
			continue
		}
		cells := strings.Split(want, " | ")
		for i, c := range cells {
			cells[i] = strings.TrimPrefix(c, "-")
		}
		chrome.SeesRow(t, page, cells[0], append([]string{id}, cells[1:]...)...)
	}
	chrome.Picture(t, page, "list.png", 1440, 930)
	require.True(t, chrome.Evaluate[bool](t, page, `[...document.querySelectorAll("button")].find(b => b.innerText.includes("Saved Views")).click() ?? true`))
	kept := chrome.Evaluate[map[string]string](t, page, `Object.fromEntries(JSON.parse(localStorage.getItem("saved-workflow-queries")).default
		.map(v => [v.name, v.query.replace(/'\d{4}-[^']+Z'/, "'TIME'")]))`)
	for _, row := range viewRows(observePage(t)) {
		chrome.Reads(t, page, row[1])
		require.Equal(t, regexp.MustCompile(`'[A-Z_]{5,}'`).ReplaceAllString(row[2], "'TIME'"), kept[row[1]], "the script and the table say the same")
	}

	link := regexp.MustCompile(`\| Undelivered \|.*\(http://127\.0\.0\.1:8233(/[^)]+)\)`).FindStringSubmatch(observePage(t))
	require.NotEmpty(t, link)
	other := chrome.Open(t) // a browser that has never been here
	chrome.Do(t, other, chromedp.Navigate(s.server.UIURL+link[1]))
	chrome.Reads(t, other, "kyc-callback-fails", "Undelivered")
	require.Contains(t, chrome.Evaluate[string](t, other, `localStorage.getItem("saved-workflow-queries")`), `"name":"Undelivered"`)
}
