package didit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// Bounds of a list that is read to its end.
const (
	maxPages = 100
	pageSize = 100
)

// ErrTooMany means that a list did not end within the pages that we are ready to read. Nothing of it is returned: what
// acts on a whole list must not act on a part.
var ErrTooMany = errors.New("didit: the list is longer than we read")

// items reads a list to its end. Didit has two shapes: pages {count, next, previous, results}, and a bare array, which
// is whole. Of next only its presence counts: we ask for the following page ourselves, so that the API key goes to no
// address that an answer names.
func (c *Client) items(ctx context.Context, op, path string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for range maxPages {
		q := url.Values{"limit": {strconv.Itoa(pageSize)}}
		if len(all) > 0 {
			q.Set("offset", strconv.Itoa(len(all)))
		}
		body, err := c.do(ctx, call{op: op, method: http.MethodGet, path: path, query: q, success: []int{http.StatusOK}})
		if err != nil {
			return nil, err
		}
		page, more, err := parseItems(op, body)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		switch {
		case !more:
			return all, nil
		case len(page) == 0:
			return nil, badResponse(op, "an empty page that is not the last")
		}
	}
	return nil, tooMany(op)
}

func parseItems(op string, body []byte) (page []json.RawMessage, more bool, err error) {
	if json.Unmarshal(body, &page) == nil && page != nil {
		return page, false, nil
	}
	var w struct {
		Next    json.RawMessage   `json:"next"`
		Results []json.RawMessage `json:"results"`
	}
	if err := decode(op, body, &w); err != nil {
		return nil, false, err
	}
	if w.Results == nil {
		return nil, false, badResponse(op, "no results")
	}
	return w.Results, hasNext(w.Next), nil
}

// hasNext reads the field next of a page: a URL, or null on the last page.
func hasNext(next json.RawMessage) bool {
	text := string(noNull(next))
	return text != "" && text != `""`
}

func tooMany(op string) error { return fmt.Errorf("%w: %s", ErrTooMany, op) }

// each turns every item into a T; one that is not an object, or that take refuses, makes the whole list bad.
func each[W, T any](op string, items []json.RawMessage, take func(W) (T, error)) ([]T, error) {
	all := make([]T, 0, len(items))
	for _, raw := range items {
		var w W
		if string(raw) == "null" {
			return nil, badResponse(op, "an item that is null")
		}
		if err := decode(op, raw, &w); err != nil {
			return nil, err
		}
		t, err := take(w)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}
