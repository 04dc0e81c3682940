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
	limit, offset := number(q, "limit", defaultLimit), number(q, "offset", 0)
	if limit == 0 {
		limit = defaultLimit
	}
	found := s.matching(q)
	page := found[min(offset, len(found)):]
	page = page[:min(limit, len(page))]
	results := make([]map[string]any, 0, len(page))
	for _, x := range page {
		results = append(results, map[string]any{
			"session_id":     x.ID,
			"session_kind":   "user",
			"session_number": x.Number,
			"status":         x.Status,
			"vendor_data":    textOrNull(x.VendorData),
			"workflow_id":    x.WorkflowID,
			"created_at":     isoTime(x.CreatedAt),
		})
	}
	all := map[string]any{"count": len(found), "next": nil, "previous": nil, "results": results}
	if offset+limit < len(found) {
		all["next"] = pageURL(r, limit, offset+limit)
	}
	if offset > 0 {
		all["previous"] = pageURL(r, limit, max(offset-limit, 0))
	}
	return answer{http.StatusOK, all}
}

// matching needs s.mu.
func (s *Server) matching(q url.Values) []*session {
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
		if flow == "" || strings.EqualFold(flow, x.WorkflowID) {
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
