//go:build browser

// Package browser sees what a person sees: it presses Approve on the hosted page and reads the Web UI in a real
// headless Chromium, and takes the pictures of the README: make pictures
package browser

import (
	"bufio"
	"context"
	"flag"
	"os"
	"os/exec"
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

// patience is for a page that is slow to come; it is only used up when a test fails.
const patience = time.Minute

func TestApproveAndLookAtTheWebUI(t *testing.T) {
	at := system(t)
	page := browser(t)

	require.NoError(t, chromedp.Do(page, chromedp.Navigate(at["open"]), chromedp.WaitVisible(chromedp.CSS("#approve"))))
	picture(t, page, "hosted.png", 520, 640)
	require.NoError(t, chromedp.Do(page, chromedp.Click(chromedp.CSS("#approve")), chromedp.WaitVisible(chromedp.CSS("#status.good"))))
	picture(t, page, "approved.png", 520, 640)

	require.NoError(t, chromedp.Do(page, chromedp.EmulateViewport(1500, 1100), chromedp.Navigate(at["watch"])))
	reads(t, page, "COMPLETED", `"outcome": "approved"`, "Create the session at Didit", "Read Didit", "Next look at Didit")
	picture(t, page, "workflow.png", 1500, 1300)

	hasNothingReadable(t, at["ui"], "kyc-demo")
	run := strings.TrimSuffix(location(t, page), "/timeline")
	require.NoError(t, chromedp.Do(page, chromedp.Navigate(run+"/user-metadata")))
	reads(t, page, "Verify user demo at Didit", "Makes a session at Didit", "decision on session")
	picture(t, page, "details.png", 1500, 700)

	require.NoError(t, chromedp.Do(page, chromedp.Navigate(at["ui"]+"/namespaces/default/workflows")))
	reads(t, page, "kyc-demo", "Verification", "COMPLETED")
}

func location(t *testing.T, page context.Context) string {
	t.Helper()
	at, err := chromedp.Run(page, chromedp.Evaluate[string](`location.origin + location.pathname`))
	require.NoError(t, err)
	return at
}

// system runs what `make dev` runs, on free ports, and returns the links that it prints.
func system(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command(filepath.Join("..", "bin", "dev"), "-leash", "-temporal-port=0", "-ui-port=0", "-simulator-port=0", "-webhook-port=0", "-api-port=0", "-codec-port=0")
	cmd.Stderr = os.Stderr
	leash, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "make build-dev builds it")
	t.Cleanup(func() {
		_ = leash.Close()
		require.NoError(t, cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	links := map[string]string{}
	for _, kv := range strings.Fields(strings.TrimPrefix(line, "READY")) {
		k, v, _ := strings.Cut(kv, "=")
		links[k] = v
	}
	require.NotEmpty(t, links["open"], line)
	return links
}

// browser starts Chromium. Without one the test fails: a picture nobody took proves nothing.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	page, stopPage := chromedp.NewContext(alloc)
	t.Cleanup(stopPage)
	page, stopWaiting := context.WithTimeout(page, 3*patience)
	t.Cleanup(stopWaiting)
	require.NoError(t, chromedp.Do(page, chromedp.EmulateViewport(1500, 1000)), "no Chromium: apt-get install chromium")
	return page
}

// shownText is what the page and its frames show: the Web UI renders Markdown in frames of its own, with typographic
// apostrophes, so look for texts without.
const shownText = `[document, ...[...document.querySelectorAll("iframe")].map(f => f.contentDocument)]
	.map(d => d?.body?.innerText).join(" ")`

// reads waits until the page shows each of the texts, white space aside.
func reads(t *testing.T, page context.Context, texts ...string) {
	t.Helper()
	var shown string
	var missing []string
	assert.Eventually(t, func() bool {
		once, done := context.WithTimeout(page, 5*time.Second) // a page that is leaving never answers
		defer done()
		text, err := chromedp.Run(once, chromedp.Evaluate[string](shownText))
		if err != nil {
			shown = err.Error()
			return false
		}
		shown = text
		missing = slices.DeleteFunc(slices.Clone(texts), func(want string) bool { return strings.Contains(squeeze(shown), squeeze(want)) })
		return len(missing) == 0
	}, patience, 200*time.Millisecond, "the page lacks some of %q", texts)
	if t.Failed() {
		t.Fatalf("missing: %q; the page shows:\n%s", missing, shown)
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func picture(t *testing.T, page context.Context, name string, width, height int64) {
	t.Helper()
	if *pictures == "" {
		return
	}
	require.NoError(t, chromedp.Do(page, chromedp.EmulateViewport(width, height), chromedp.Sleep(500*time.Millisecond)))
	png, err := chromedp.Run(page, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(*pictures, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(*pictures, name), png, 0o644))
}
