package diditsim

import "net/http"

// More endpoints of a Server, of Didit's management API (https://docs.didit.me/management-api) and of its account API
// (https://docs.didit.me/integration/programmatic-registration), which Didit has on another host and a Server has beside.
const (
	EndpointReviews           = "GET /v3/sessions/{id}/reviews/"
	EndpointWorkflows         = "GET /v3/workflows/"
	EndpointBalance           = "GET /v3/billing/balance/"
	EndpointDeleteUsers       = "POST /v3/users/delete/"
	EndpointDestinations      = "GET /v3/webhook/destinations/"
	EndpointDestination       = "GET /v3/webhook/destinations/{id}/"
	EndpointCreateDestination = "POST /v3/webhook/destinations/"
	EndpointUpdateDestination = "PATCH /v3/webhook/destinations/{id}/"
	EndpointRegister          = "POST /auth/v2/programmatic/register/"
	EndpointVerifyEmail       = "POST /auth/v2/programmatic/verify-email/"
)

// AccountPath is where the account API begins, to be put behind the address of a Server.
const AccountPath = "/auth/v2"

// handleMore registers the endpoints above.
func (s *Server) handleMore() {
	for endpoint, handler := range map[string]http.HandlerFunc{
		EndpointReviews:           s.api(s.listReviews),
		EndpointWorkflows:         s.api(s.listWorkflows),
		EndpointBalance:           s.api(s.showBalance),
		EndpointDeleteUsers:       s.api(s.deleteUsers),
		EndpointDestinations:      s.api(s.listDestinations),
		EndpointDestination:       s.api(s.showDestination),
		EndpointCreateDestination: s.api(s.createDestination),
		EndpointUpdateDestination: s.api(s.updateDestination),
		EndpointRegister:          s.waiting(s.register),
		EndpointVerifyEmail:       s.waiting(s.verifyEmail),
	} {
		s.mux.HandleFunc(endpoint+"{$}", handler)
	}
}
