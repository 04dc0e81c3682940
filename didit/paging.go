package didit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"time"
)

// Bounds of a list that is read to its end.
const (
	maxPages = 100
	pageSize = 100
)

// ErrTooMany means that a list does not end within the pages that we read. No part of it is returned: a caller that acts
// on a whole list must not act on a part.
var ErrTooMany = errors.New("didit: the list is longer than we read")

// readList reads the list of k to its end. We compute the offset of the next page and never follow the URL in next, so that
// the API key goes to no address that an answer names.
func readList[W, T any](ctx context.Context, c *Client, k call, take func(W) (T, error)) ([]T, error) {
	all, filter := []T{}, k.query
	for range maxPages {
		k.query = page(pageSize, len(all))
		maps.Copy(k.query, filter)
		p, items, err := readPage(ctx, c, k, take)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		switch {
		case !p.more():
			return all, nil
		case len(items) == 0:
			return nil, badResponse(k.op, "an empty page that is not the last")
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrTooMany, k.op)
}

// readPage reads the page that k asks for, and turns its items into Ts.
func readPage[W, T any](ctx context.Context, c *Client, k call, take func(W) (T, error)) (p wirePage, items []T, err error) {
	body, err := c.do(ctx, k)
	if err == nil {
		p, err = parsePage(k.op, body)
	}
	if err == nil {
		items, err = each(k.op, p.Results, take)
	}
	return p, items, err
}

// wirePage is a page of a list. Next is a URL, or null on the last page.
type wirePage struct {
	Count   int               `json:"count"`
	Next    json.RawMessage   `json:"next"`
	Results []json.RawMessage `json:"results"`
}

// parsePage reads both shapes of a list: {count, next, previous, results}, and a bare array, which is whole.
func parsePage(op string, body []byte) (p wirePage, err error) {
	if json.Unmarshal(body, &p.Results) == nil && p.Results != nil {
		return p, nil
	}
	if err := decode(op, body, &p); err != nil {
		return p, err
	}
	if p.Results == nil {
		return p, badResponse(op, "no results")
	}
	return p, nil
}

func (p wirePage) more() bool {
	text := string(noNull(p.Next))
	return text != "" && text != `""`
}

// each turns every item into a T. An item that is no object, or that take refuses, makes the whole list bad.
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

// page is the query of a page.
func page(limit, offset int) url.Values {
	q := url.Values{}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	return q
}

// setDay adds a bound that is a day in UTC.
func setDay(q url.Values, name string, day time.Time) {
	if !day.IsZero() {
		q.Set(name, day.UTC().Format(time.DateOnly))
	}
}
