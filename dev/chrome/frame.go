//go:build browser

package chrome

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// PressInFrame waits for a button in the frame that a selector finds, and presses it. The frame must be of the same site.
func PressInFrame(t *testing.T, page context.Context, frame, button string) {
	t.Helper()
	Do(t, page, chromedp.WaitReady(chromedp.CSS(frame)))
	nodes, err := chromedp.Run(page, chromedp.Nodes(chromedp.CSS(frame)))
	require.NoError(t, err)
	Do(t, page, chromedp.WaitVisible(chromedp.CSS(button), chromedp.FromNode(nodes[0])), chromedp.Click(chromedp.CSS(button), chromedp.FromNode(nodes[0])))
}
