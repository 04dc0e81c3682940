package diditsim

import (
	"net/http"
	"strings"
)

// KnowsUser reports whether the user entity of a vendor_data is there: it is made with the first session, and stays when
// its sessions are deleted, until the user itself is.
func (s *Server) KnowsUser(vendorData string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := userOf(nil, vendorData).vendor
	for u := range s.users {
		if u.vendor == wanted {
			return true
		}
	}
	return false
}

// deleteUsersBody names users in exactly one of three ways. A Server gives users no ids, so the second finds nobody.
type deleteUsersBody struct {
	VendorData  []string `json:"vendor_data_list"`
	InternalIDs []string `json:"didit_internal_id_list"`
	All         bool     `json:"delete_all"`
}

func (b deleteUsersBody) selectors() int {
	n := 0
	for _, used := range []bool{b.VendorData != nil, b.InternalIDs != nil, b.All} {
		if used {
			n++
		}
	}
	return n
}

// deleteUsers is POST /v3/users/delete/ (https://docs.didit.me/management-api/users/delete). Whom it does not know it does
// not count. That page says both that sessions are kept for the retention period and that they go alongside: here they stay,
// which is the harder case for who must erase everything. The user.data.updated that Didit announces is not sent.
func (s *Server) deleteUsers(r *http.Request, body []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	var b deleteUsersBody
	if no := decode(body, &b); no != nil {
		return *no
	}
	if b.selectors() != 1 {
		return *detail(http.StatusBadRequest, "Provide exactly one of vendor_data_list, didit_internal_id_list or delete_all.")
	}
	app, deleted := s.appOf(r), 0
	forget := func(u user) {
		if s.users[u] {
			delete(s.users, u)
			deleted++
		}
	}
	for _, v := range b.VendorData {
		forget(userOf(app, v))
	}
	if b.All {
		for u := range s.users {
			if u.app == app {
				forget(u)
			}
		}
	}
	return answer{http.StatusOK, map[string]int{"deleted": deleted}}
}

// defaultFlow is listed where every UUID is a flow.
const defaultFlow = "00000000-0000-4000-8000-00000000f10f"

// listWorkflows is GET /v3/workflows/ (https://docs.didit.me/management-api/workflows/list): Options.WorkflowIDs, each with one
// published version; without them one invented flow.
func (s *Server) listWorkflows(r *http.Request, _ []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	ids := s.opts.WorkflowIDs
	if len(ids) == 0 {
		ids = []string{defaultFlow}
	}
	return paginate(r, ids, 50, func(id string) map[string]any {
		id = strings.ToLower(id)
		return map[string]any{
			"uuid": id, "workflow_id": id, "workflow_label": "Simulated KYC", "workflow_type": "kyc", "version": workflowVersion,
			"status": "published", "is_default": strings.EqualFold(id, ids[0]), "is_archived": false, "is_editable": false,
			"has_draft": false, "features": "OCR + LIVENESS + FACE_MATCH", "total_price": 0.15, "max_retry_attempts": 3,
			"session_expiration_time": int(lifetime.Seconds()), "created_by": nil,
		}
	})
}

// SetBalance changes what GET /v3/billing/balance/ tells, such as "0.0000". No call costs anything.
func (s *Server) SetBalance(decimal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balance = decimal
}

// showBalance is GET /v3/billing/balance/ (https://docs.didit.me/management-api/billing/balance).
func (s *Server) showBalance(r *http.Request, _ []byte) answer {
	if no := s.refuse(r); no != nil {
		return *no
	}
	return answer{http.StatusOK, map[string]any{
		"balance": s.balance, "auto_refill_enabled": false, "auto_refill_amount": nil, "auto_refill_threshold": nil,
	}}
}
