//go:build browser

package browser

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/chrome"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/stack"
	"didit-temporal/didit"
)

const webSDK = "@didit-protocol/sdk-web@0.4.0"

// sdkFile installs Didit's sdk-web and returns its file for browsers.
func sdkFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", webSDK).CombinedOutput()
	if err != nil {
		skip.Missing(t, fmt.Sprintf("npm cannot install %s: %v: %s", webSDK, err, out))
	}
	return filepath.Join(dir, "node_modules", "@didit-protocol", "sdk-web", "dist", "didit-sdk.umd.min.js")
}

// shop runs the whole system with its signup page.
func shop(t *testing.T, sdk string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Options{IP: "127.0.0.1", WebSDK: sdk, TemporalLogLevel: "error"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

// text is what an element of the page shows; frames are looked into by frame.
const (
	state = `document.querySelector("#state").textContent`
	event = `document.querySelector("#event").textContent`
)

// visit opens the page as a new visitor.
func visit(t *testing.T, page context.Context, s *stack.Stack, mode string) {
	t.Helper()
	chrome.Do(t, page, chromedp.Navigate(s.Address("signup")+"/?new&mode="+mode), chromedp.WaitVisible(chromedp.CSS("#verify")),
		chromedp.Click(chromedp.CSS("#verify")))
}

// press presses a button of the page in the frame, which has an origin of its own.
func press(t *testing.T, page context.Context, id string) {
	t.Helper()
	chrome.PressInFrame(t, page, `iframe[src*="/session/"]`, "#"+id)
}

// The front end of the page and Didit's own web SDK, in a frame of its own, as a modal and embedded, through each end.
func TestTheSignupPage(t *testing.T) {
	s := shop(t, sdkFile(t))
	heard := map[string]bool{}
	for _, mode := range []string{"frame", "modal", "embedded"} {
		done := map[string]string{"frame": "didit:completed", "modal": "result:completed", "embedded": "result:completed"}[mode]
		gone := map[string]string{"frame": "didit:cancelled", "modal": "result:cancelled", "embedded": "result:cancelled"}[mode]
		t.Run(mode, func(t *testing.T) {
			page := chrome.Open(t)
			visit(t, page, s, mode)
			press(t, page, "approve")
			chrome.Sees(t, page, event, done+" Approved")
			chrome.Sees(t, page, state, "approved")
			for _, message := range chrome.Evaluate[[]string](t, page, `events`) {
				heard[message] = true
			}

			visit(t, page, s, mode)
			press(t, page, "decline")
			chrome.Sees(t, page, event, done+" Declined")
			chrome.Sees(t, page, state, "declined")

			visit(t, page, s, mode)
			press(t, page, "review")
			chrome.Sees(t, page, event, done)
			chrome.Sees(t, page, state, "In Review")

			visit(t, page, s, mode)
			press(t, page, "cancel")
			chrome.Sees(t, page, event, gone)
			chrome.Sees(t, page, state, "In Progress")

			if mode == "frame" { // the SDK asks whether the person is sure, and tells the page nothing
				visit(t, page, s, mode)
				press(t, page, "close")
				chrome.Sees(t, page, event, "didit:close_request")
			}

			visit(t, page, s, "none") // starts, and opens no page
			chrome.Sees(t, page, state, "Not Started")
			sessions := s.Simulator.Sessions()
			last := sessions[len(sessions)-1]
			require.NoError(t, s.Simulator.SetStatus(last.ID, didit.StatusExpired))
			chrome.Sees(t, page, state, "expired")
			chrome.Evaluate[bool](t, page, fmt.Sprintf(`open(%q, %q).then(() => true)`, last.URL, mode))
			chrome.Sees(t, page, event, "didit:error")
		})
	}
	for _, message := range []string{
		"ready", "started", "step_started", "document_selected", "media_started", "media_captured", "verification_submitted", "step_completed",
		"step_changed", "status_updated", "completed",
	} {
		require.True(t, heard["didit:"+message], "%s: the page of an approval has posted %v", message, heard)
	}
	t.Run("a redirect, and back", func(t *testing.T) {
		page := chrome.Open(t)
		visit(t, page, s, "redirect")
		chrome.Do(t, page, chromedp.WaitVisible(chromedp.CSS("#approve")), chromedp.Click(chromedp.CSS("#approve")), chromedp.WaitVisible(chromedp.CSS("#state")))
		require.Contains(t, chrome.Evaluate[string](t, page, `location.href`), "verificationSessionId=")
		chrome.Sees(t, page, state, "approved")
	})
}
