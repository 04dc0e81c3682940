package diditsim

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// application belongs to a registered account. It has its own sessions, users and destinations. The application of
// Options.APIKey, which every Server has, is nil. All have the same balance.
type application struct {
	id, clientID, key string
	organization      string // its UUID
}

func newApplication() *application {
	return &application{
		id: uuid.NewString(), clientID: randomText(16), key: randomText(32), organization: uuid.NewString(),
	}
}

// randomText returns a text of the form of Didit's keys, which for 32 bytes are 43 characters.
func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// owner is the organization as the account API shows it, shown the application.
func (a *application) owner() map[string]string {
	return map[string]string{"uuid": a.organization, "name": "simulated"}
}

func (a *application) shown() map[string]string {
	return map[string]string{"uuid": a.id, "name": "simulated", "client_id": a.clientID, "api_key": a.key}
}

// publicID is the application_id of webhooks.
func (a *application) publicID() string {
	if a == nil {
		return applicationID
	}
	return a.id
}

// appOf is the application whose key a call has, valid or not: refuse checks the key. It needs s.mu.
func (s *Server) appOf(r *http.Request) *application { return s.apps[r.Header.Get("x-api-key")] }

// userID identifies the entity that Didit keeps when sessions are deleted. Didit matches without regard to case.
type userID struct {
	app    *application
	vendor string
}

func userIDOf(app *application, vendorData string) userID {
	return userID{app, strings.ToLower(strings.TrimSpace(vendorData))}
}

// withToken makes an HTTP handler of show for calls with an access token to the application of that account.
func (s *Server) withToken(show func(*application) any) http.HandlerFunc {
	return s.api(func(_ *Server, r *http.Request, _ []byte) *answer {
		given := []byte(r.Header.Get("Authorization"))
		for _, a := range s.accounts {
			if a.token == "" || subtle.ConstantTimeCompare(given, []byte("Bearer "+a.token)) != 1 {
				continue
			}
			org, app := r.PathValue("org"), r.PathValue("app")
			if (org != "" && org != a.app.organization) || (app != "" && app != a.app.id) {
				return notFound()
			}
			return ok(show(a.app))
		}
		return detail(http.StatusUnauthorized, "Given token not valid for any token type.")
	})
}

func showOrganizations(a *application) any { return []any{a.owner()} }
func showApplications(a *application) any  { return []any{a.shown()} }
func showApplication(a *application) any   { return a.shown() }
