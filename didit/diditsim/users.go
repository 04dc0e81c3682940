package diditsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// entity is the user that Didit keeps beside the sessions.
type entity struct {
	VendorData string          `json:"vendor_data"`
	Status     string          `json:"status"`
	Metadata   json.RawMessage `json:"metadata"`
	CreatedAt  string          `json:"created_at"`
}

// entityStatuses are those of users (https://docs.didit.me/integration/webhooks).
var entityStatuses = []string{"ACTIVE", "FLAGGED", "BLOCKED"}

// HasUser reports whether the user entity of a vendor_data exists. The first session creates it, and it stays when its
// sessions are deleted, until the user is deleted.
func (s *Server) HasUser(vendorData string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := userIDOf(nil, vendorData).vendor
	for u := range s.users {
		if u.vendor == wanted {
			return true
		}
	}
	return false
}

// addUser creates the user entity of a session, unless it exists. It needs s.mu.
func (s *Server) addUser(x *session) {
	if id := userIDOf(x.app, x.VendorData); s.users[id] == nil && !x.flow.business() {
		s.users[id] = &entity{VendorData: x.VendorData, Status: "ACTIVE", CreatedAt: isoTime(s.opts.Now())}
	}
}

// listUsers is GET /v3/users/, by vendor_data.
func (s *Server) listUsers(app *application, r *http.Request, _ []byte) *answer {
	var all []*entity
	for id, u := range s.users {
		if id.app == app {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *entity) int { return strings.Compare(a.VendorData, b.VendorData) })
	return paginate(r, all, 50, (*entity).shown)
}

func (u *entity) shown() map[string]any {
	return map[string]any{
		"vendor_data": u.VendorData, "status": u.Status, "metadata": orNull(u.Metadata), "created_at": u.CreatedAt,
	}
}

// createUser is POST /v3/users/create/. It ignores names and birthdays.
func (s *Server) createUser(app *application, _ *http.Request, body []byte) *answer {
	u := &entity{Status: "ACTIVE", CreatedAt: isoTime(s.opts.Now())}
	if no := u.update(body); no != nil {
		return no
	}
	id := userIDOf(app, u.VendorData)
	switch {
	case u.VendorData == "":
		return invalid("vendor_data", "This field is required.")
	case s.users[id] != nil:
		return detail(http.StatusConflict, "A user with this vendor_data already exists.")
	}
	s.users[id] = u
	return created(u.shown())
}

// userOf finds the user of a path.
func (s *Server) userOf(app *application, r *http.Request) *entity {
	return s.users[userIDOf(app, r.PathValue("vendor"))]
}

// updateUser is PATCH of a user, or of its status alone.
func updateUser(u *entity, _ *http.Request, body []byte) *answer {
	vendor := u.VendorData
	if no := u.update(body); no != nil {
		return no
	}
	u.VendorData = vendor
	return ok(u.shown())
}

// update changes u as the body says. An unknown status is a 422 with the known ones.
func (u *entity) update(body []byte) *answer {
	changed := *u
	if no := decode(body, &changed); no != nil {
		return no
	}
	if !slices.Contains(entityStatuses, changed.Status) {
		return &answer{code: http.StatusUnprocessableEntity, body: map[string]any{"detail": "Invalid status.", "allowed": entityStatuses}}
	}
	*u = changed
	return nil
}

// deleteUsersBody names users in exactly one way. A Server gives users no ids of its own.
type deleteUsersBody struct {
	VendorData []string `json:"vendor_data_list"`
	All        bool     `json:"delete_all"`
}

// deleteUsers is POST /v3/users/delete/ (https://docs.didit.me/management-api/users/delete). Unknown users do
// not count. That page says both that sessions are kept for the retention period and that they are deleted alongside:
// here they stay, which is the harder case for an erasure. The user.data.updated that Didit announces is not sent.
func (s *Server) deleteUsers(app *application, _ *http.Request, b deleteUsersBody) *answer {
	before := len(s.users)
	if b.All == (b.VendorData != nil) {
		return &answer{code: http.StatusBadRequest, body: []string{"Provide vendor_data_list or set delete_all=true."}}
	}
	for _, v := range b.VendorData {
		delete(s.users, userIDOf(app, v))
	}
	if b.All {
		maps.DeleteFunc(s.users, func(id userID, _ *entity) bool { return id.app == app })
	}
	return ok(map[string]int{"deleted": before - len(s.users)})
}
