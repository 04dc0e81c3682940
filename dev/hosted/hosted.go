// Package hosted opens the page that Didit shows to a person, and presses its buttons, as a browser does.
package hosted

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Open opens a page.
func Open(ctx context.Context, page string) error { return browse(ctx, http.MethodGet, page, nil) }

// Press presses a button of a page, such as "approve".
func Press(ctx context.Context, page, action string) error {
	return browse(ctx, http.MethodPost, page, url.Values{"action": {action}})
}

func browse(ctx context.Context, method, page string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, method, page, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the hosted page answers %s", res.Status)
	}
	return nil
}
