//go:build browser

package chrome

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

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
