package diditsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// defaultLimit is the size of a page (https://docs.didit.me/sessions-api/list-sessions).
const defaultLimit = 20

// list is GET /v3/sessions/, newest first, with the filters vendor_data, status (several, comma-separated) and
// workflow_id. Other filters are ignored. An item has no link and no token: those are in the decision.
func (s *Server) list(r *http.Request, _ []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	q := r.URL.Query()
	return paginate(r, s.matching(s.appOf(r), q), defaultLimit, func(x *session) map[string]any {
		return map[string]any{
			"session_id":     x.ID,
			"session_kind":   "user",
			"session_number": x.Number,
			"status":         x.Status,
			"vendor_data":    textOrNull(x.VendorData),
			"workflow_id":    x.WorkflowID,
			"created_at":     isoTime(x.CreatedAt),
		}
	})
}

// paginate cuts the page out of all that the query's limit and offset ask for.
func paginate[T any](r *http.Request, all []T, fallback int, show func(T) map[string]any) answer {
	q := r.URL.Query()
	limit, offset := number(q, "limit", fallback), number(q, "offset", 0)
	if limit == 0 {
		limit = fallback
	}
	page := all[min(offset, len(all)):]
	page = page[:min(limit, len(page))]
	results := make([]map[string]any, 0, len(page))
	for _, item := range page {
		results = append(results, show(item))
	}
	body := map[string]any{"count": len(all), "next": nil, "previous": nil, "results": results}
	if offset+limit < len(all) {
		body["next"] = pageURL(r, limit, offset+limit)
	}
	if offset > 0 {
		body["previous"] = pageURL(r, limit, max(offset-limit, 0))
	}
	return answer{http.StatusOK, body}
}

// matching needs s.mu.
func (s *Server) matching(app *application, q url.Values) []*session {
	candidates := s.all
	if v := q.Get("vendor_data"); v != "" {
		candidates = s.byVendor[v]
	}
	var statuses []string
	if v := q.Get("status"); v != "" {
		statuses = strings.Split(v, ",")
	}
	flow := q.Get("workflow_id")
	var found []*session
	for _, x := range slices.Backward(candidates) {
		if len(statuses) > 0 && !slices.Contains(statuses, string(x.Status)) {
			continue
		}
		if x.app == app && (flow == "" || strings.EqualFold(flow, x.WorkflowID)) {
			found = append(found, x)
		}
	}
	return found
}

// number falls back where the query has none, or nonsense, as Django does.
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
