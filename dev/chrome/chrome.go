//go:build browser

// Package chrome drives a real headless Chromium for tests of what a person sees, and takes pictures of it.
package chrome

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var pictures = flag.String("pictures", "", "folder for the pictures; empty takes none")

// timeout is for a page that is slow to come; it is only used up when a test fails.
const timeout = time.Minute

// Open starts Chromium. Without one the test fails: a picture that was not taken proves nothing.
func Open(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	page, stopPage := chromedp.NewContext(alloc)
	t.Cleanup(stopPage)
	page, stopWaiting := context.WithTimeout(page, 3*timeout)
	t.Cleanup(stopWaiting)
	require.NoError(t, chromedp.Do(page, chromedp.EmulateViewport(1440, 1000)), "no Chromium: apt-get install chromium")
	return page
}

// Do runs actions on the page.
func Do(t *testing.T, page context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(page, actions...))
}

// Evaluate returns what a script says, once its promise is kept.
func Evaluate[T any](t *testing.T, page context.Context, script string) T {
	t.Helper()
	got, err := chromedp.Run(page, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return got
}

// shownText is what the page and its frames show: the Web UI renders Markdown in frames of its own, with typographic
// apostrophes, so search for texts without.
const shownText = `[document, ...[...document.querySelectorAll("iframe")].map(f => f.contentDocument)]
	.map(d => d?.body?.innerText).join(" ")`

// Reads waits until the page shows each of the texts, white space aside.
func Reads(t *testing.T, page context.Context, texts ...string) {
	t.Helper()
	Sees(t, page, shownText, texts...)
}

// Sees waits until what a script says holds each of the texts, white space aside.
func Sees(t *testing.T, page context.Context, script string, texts ...string) {
	t.Helper()
	var shown string
	var missing []string
	assert.Eventually(t, func() bool {
		once, done := context.WithTimeout(page, 5*time.Second) // a page that is leaving never answers
		defer done()
		text, err := chromedp.Run(once, chromedp.Evaluate[string](script))
		if err != nil {
			shown = err.Error()
			return false
		}
		shown = text
		missing = slices.DeleteFunc(slices.Clone(texts), func(want string) bool { return strings.Contains(squeeze(shown), squeeze(want)) })
		return len(missing) == 0
	}, timeout, 200*time.Millisecond, "the page lacks some of %q", texts)
	if t.Failed() {
		t.Fatalf("missing: %q; the page shows:\n%s", missing, shown)
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// PressInFrame waits for a button in the frame that a selector finds, and presses it. The frame must be of the same site.
// A frame that is still loading is replaced, so it is looked up again until the button is there.
func PressInFrame(t *testing.T, page context.Context, frame, button string) {
	t.Helper()
	var err error
	for range 12 {
		if err = pressOnce(page, frame, button); err == nil {
			return
		}
	}
	require.NoError(t, err, "press %s in %s", button, frame)
}

func pressOnce(page context.Context, frame, button string) error {
	once, done := context.WithTimeout(page, 5*time.Second)
	defer done()
	nodes, err := chromedp.Run(once, chromedp.Nodes(chromedp.CSS(frame)))
	if err != nil {
		return err
	}
	return chromedp.Do(once, chromedp.Click(chromedp.CSS(button), chromedp.FromNode(nodes[0])))
}

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

// Picture takes a picture of the page, if the command line names a folder.
func Picture(t *testing.T, page context.Context, name string, width, height int64) {
	t.Helper()
	if *pictures == "" {
		return
	}
	require.NoError(t, chromedp.Do(page, chromedp.EmulateViewport(width, height), chromedp.Sleep(500*time.Millisecond)))
	png, err := chromedp.Run(page, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(*pictures, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(*pictures, name), png, 0o600))
}
