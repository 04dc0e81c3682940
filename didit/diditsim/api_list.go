package diditsim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The size of a page: the default (https://docs.didit.me/sessions-api/list-sessions), and the most that the Python SDK asks for.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// list is GET /v3/sessions/, newest first, with the filters of the vendor's own client: vendor_data, status (several,
// comma-separated), workflow_id, session_kind (user, business or all; user if there is none, which is the harder
// case), country, search, date_from and date_to. An item has no link and no token: those are in the decision.
func (s *Server) list(app *application, r *http.Request, _ []byte) *answer {
	return paginate(r, s.matching(app, r.URL.Query()), defaultLimit, func(x *session) map[string]any {
		return map[string]any{
			"session_id":     x.ID,
			"session_kind":   x.flow.kind(),
			"session_number": x.Number,
			"status":         x.Status,
			"vendor_data":    orNull(x.VendorData),
			"workflow_id":    x.WorkflowID,
			"created_at":     isoTime(x.CreatedAt),
		}
	})
}

// paginate answers with the page of all that limit and offset of the query select.
func paginate[T any](r *http.Request, all []T, fallback int, show func(T) map[string]any) *answer {
	q := r.URL.Query()
	limit, offset := cmp.Or(min(number(q, "limit", fallback), maxLimit), fallback), number(q, "offset", 0)
	page := all[min(offset, len(all)):]
	page = page[:min(limit, len(page))]
	results := make([]map[string]any, 0, len(page))
	for _, item := range page {
		results = append(results, show(item))
	}
	exact := min(len(all), 100) // up to there
	body := map[string]any{"count": exact, "next": nil, "previous": nil, "results": results}
	if offset+limit < len(all) {
		body["next"] = pageURL(r, limit, offset+limit)
	}
	if offset > 0 {
		body["previous"] = pageURL(r, limit, max(offset-limit, 0))
	}
	return ok(body)
}

// matching needs s.mu.
func (s *Server) matching(app *application, q url.Values) []*session {
	candidates := s.all
	if v := q.Get("vendor_data"); v != "" {
		candidates = s.byVendor[v]
	}
	var found []*session
	for _, x := range slices.Backward(candidates) {
		if x.app == app && x.matches(q) {
			found = append(found, x)
		}
	}
	return found
}

// matches applies the filters of a list but vendor_data.
func (x *session) matches(q url.Values) bool {
	wanted := func(name string, is ...string) bool {
		v := q.Get(name)
		return v == "" || slices.ContainsFunc(strings.Split(v, ","), func(v string) bool { return slices.Contains(is, v) })
	}
	kind := x.flow.kind()
	return wanted("status", string(x.Status)) && wanted("workflow_id", x.WorkflowID) && wanted("country", x.country()) &&
		(wanted("session_kind", kind, "all") && (q.Has("session_kind") || kind == "user")) &&
		strings.Contains(strings.ToLower(x.ID+" "+x.VendorData), strings.ToLower(q.Get("search"))) && within(q, x.CreatedAt)
}

// country is that of the document, empty before there is one.
func (x *session) country() string {
	if x.has("OCR") {
		return country
	}
	return ""
}

// within reports whether t is in the days, or between the times, of date_from and date_to, both inclusive.
func within(q url.Values, t time.Time) bool {
	from, _ := day(q.Get("date_from"))
	to, whole := day(q.Get("date_to"))
	if whole {
		to = to.AddDate(0, 0, 1).Add(-1)
	}
	return !t.Before(from) && (to.IsZero() || !t.After(to))
}

// day reads YYYY-MM-DD or a time. Any other text is zero, which filters nothing.
func day(s string) (t time.Time, whole bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true
	}
	t, _ = time.Parse(time.RFC3339, s)
	return t, false
}

// number returns fallback if the query has no valid number, as Django does.
func number(q url.Values, name string, fallback int) int {
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 0 {
		return fallback
	}
	return n
}

// pageURL is absolute, as in Didit's answers.
func pageURL(r *http.Request, limit, offset int) string {
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Set("offset", strconv.Itoa(offset))
	return requestBase(r) + r.URL.Path + "?" + q.Encode()
}
