//go:build browser

// Package browser sees what a person sees: it presses Approve on the hosted page and reads the Web UI in a real
// headless Chromium, and takes the pictures of the README: make pictures
package browser

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/chrome"
)

func TestApproveAndLookAtTheWebUI(t *testing.T) {
	at := system(t)
	page := chrome.Open(t)
	workflows := at["ui"] + "/namespaces/default/workflows"

	chrome.Do(t, page, chromedp.Navigate(workflows))
	chrome.Reads(t, page, "kyc-demo")
	chrome.Columns(t, page)
	chrome.SeesRow(t, page, "Running", "kyc-demo", "Not Started", "", "user", "", "Verification")

	chrome.Do(t, page, chromedp.Navigate(at["watch"]))
	chrome.Reads(t, page, "RUNNING", "Create the session at Didit", "Next look at Didit, if no webhook comes")
	run := strings.TrimSuffix(chrome.Evaluate[string](t, page, `location.origin + location.pathname`), "/timeline")
	chrome.Do(t, page, chromedp.Navigate(run+"/user-metadata"))
	chrome.Reads(t, page, "Verify user demo at Didit", "Makes a session at Didit", "Not Started: waiting for the user at Didit",
		"attempt 1. Next: Didit", "or the end of the user")
	chrome.Picture(t, page, "details.png", 1440, 700)

	chrome.Do(t, page, chromedp.Navigate(at["open"]), chromedp.WaitVisible(chromedp.CSS("#approve")))
	chrome.Picture(t, page, "hosted.png", 520, 640)
	chrome.Do(t, page, chromedp.Click(chromedp.CSS("#approve")), chromedp.WaitVisible(chromedp.CSS("#status.good")))
	chrome.Picture(t, page, "approved.png", 520, 640)

	chrome.Do(t, page, chromedp.EmulateViewport(1440, 1100), chromedp.Navigate(at["watch"]))
	chrome.Reads(t, page, "COMPLETED", `"outcome": "approved"`, "Create the session at Didit", "Read Didit", "Next look at Didit")
	chrome.Picture(t, page, "workflow.png", 1440, 1240)
	hasNothingReadable(t, at["ui"], "kyc-demo")
	chrome.Do(t, page, chromedp.Navigate(run+"/user-metadata"))
	chrome.Reads(t, page, "Verify user demo at Didit", "decision on session", "Nothing more to do")

	chrome.Do(t, page, chromedp.Navigate(workflows))
	chrome.SeesRow(t, page, "Completed", "kyc-demo", "Approved", "approved", "", "", "Verification")
}

// system runs what `make dev` runs, on free ports, and returns the links that it prints.
func system(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command(filepath.Join("..", "bin", "dev"), "-leash", "-temporal-port=0", "-ui-port=0", "-simulator-port=0", "-webhook-port=0", "-api-port=0", "-codec-port=0", "-signup-port=0")
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
