package diditsim

import (
	"net/http"
	"strings"
)

// The endpoints of a Server (https://docs.didit.me/api-reference/overview), as Calls counts them. The account API
// (https://docs.didit.me/integration/programmatic-registration) has a host of its own at Didit.
const (
	EndpointCreate            = "POST /v3/session/"
	EndpointDecision          = "GET /v3/session/{id}/decision/"
	EndpointList              = "GET /v3/sessions/"
	EndpointUpdateStatus      = "PATCH /v3/session/{id}/update-status/"
	EndpointDelete            = "DELETE /v3/session/{id}/delete/"
	EndpointReviews           = "GET /v3/sessions/{id}/reviews/"
	EndpointWorkflows         = "GET /v3/workflows/"
	EndpointCreateWorkflow    = "POST /v3/workflows/"
	EndpointBalance           = "GET /v3/billing/balance/"
	EndpointDeleteUsers       = "POST /v3/users/delete/"
	EndpointDestinations      = "GET /v3/webhook/destinations/"
	EndpointDestination       = "GET /v3/webhook/destinations/{id}/"
	EndpointCreateDestination = "POST /v3/webhook/destinations/"
	EndpointUpdateDestination = "PATCH /v3/webhook/destinations/{id}/"
	EndpointDeliveries        = "GET /v3/webhook/destinations/{id}/deliveries/"
	EndpointRegister          = "POST /auth/v2/programmatic/register/"
	EndpointVerifyEmail       = "POST /auth/v2/programmatic/verify-email/"
	EndpointResendCode        = "POST /auth/v2/programmatic/resend-otp/"
	EndpointLogin             = "POST /auth/v2/programmatic/login/"
	EndpointHealth            = "GET /system/healthcheck"
	EndpointPage              = "GET /session/{token}"
	EndpointPageAction        = "POST /session/{token}"
	// EndpointNone stands for every path and method that Didit does not have.
	EndpointNone = "none"
	// EndpointNotSimulated stands for the groups of Didit's API that a Server answers with 501.
	EndpointNotSimulated = "not simulated"
)

// AccountPath is where the account API begins, to be put behind the address of a Server.
const AccountPath = "/auth/v2"

// handle registers all endpoints.
func (s *Server) handle() {
	const org, page = "GET /auth/v2/organizations/me/", "GET /v3/session/{id}/generate-pdf"
	for endpoint, handler := range map[string]http.HandlerFunc{
		EndpointCreate:       s.keyed(s.create),
		EndpointDecision:     s.api(s.decision),
		EndpointList:         s.keyed(s.list),
		EndpointUpdateStatus: s.ofSession(s.updateStatus),
		EndpointDelete:       s.ofSession(s.delete),
		EndpointReviews:      s.ofSession(s.listReviews),
		page + "/":           s.ofSession(s.report),

		"POST /v3/sessions/{id}/reviews/":         s.ofSession(s.addReview),
		"PATCH /v3/session/{id}/update-data/":     s.ofSession(s.updateData),
		"PATCH /v3/session/{id}/update-poa-data/": s.ofSession(s.updateAddress),
		"POST /v3/sessions/delete/":               s.keyed(s.deleteSessions),
		"GET /v3/sessions/{list}/{id}/":           s.keyed(s.showJob),
		EndpointWorkflows:                         s.keyed(s.listWorkflows),
		EndpointCreateWorkflow:                    s.keyed(s.createWorkflow),
		"GET /v3/workflows/{id}/":                 s.ofWorkflow(showWorkflow),
		"PATCH /v3/workflows/{id}/":               s.ofWorkflow(updateWorkflow),
		"DELETE /v3/workflows/{id}/":              s.ofWorkflow(s.deleteWorkflow),
		EndpointBalance:                           s.keyed(s.showBalance),
		"POST /v3/billing/top-up/":                s.keyed(s.topUp),
		"GET /v3/users/":                          s.keyed(s.listUsers),
		"POST /v3/users/create/":                  s.keyed(s.createUser),
		EndpointDeleteUsers:                       s.keyed(s.deleteUsers),
		"GET /v3/users/{vendor}/":                 s.ofUser(showUser),
		"PATCH /v3/users/{vendor}/":               s.ofUser(updateUser),
		"PATCH /v3/users/{vendor}/update-status/": s.ofUser(updateUser),
		EndpointDestinations:                      s.keyed(s.listDestinations),
		EndpointCreateDestination:                 s.keyed(s.createDestination),
		EndpointDestination:                       s.ofDestination(showDestination),
		EndpointUpdateDestination:                 s.ofDestination(s.updateDestination),
		"DELETE /v3/webhook/destinations/{id}/":   s.ofDestination(s.deleteDestination),
		EndpointDeliveries:                        s.ofDestination(s.listDeliveries),
		EndpointDeliveries + "{delivery}/":        s.ofDestination(s.showDelivery),
		EndpointRegister:                          s.api(s.register),
		EndpointVerifyEmail:                       s.api(s.verifyEmail),
		EndpointResendCode:                        s.api(s.resendCode),
		EndpointLogin:                             s.api(s.login),
		org:                                       s.withToken(showOrganizations),
		org + "{org}/applications/":               s.withToken(showApplications),
		org + "{org}/applications/{app}/":         s.withToken(showApplication),
	} {
		s.mux.HandleFunc(endpoint+"{$}", handler)
	}
	s.mux.HandleFunc(page, s.ofSession(s.report)) // Didit's own programs leave the slash out here
	s.mux.HandleFunc(EndpointHealth, s.api(s.health))
	s.mux.HandleFunc(EndpointPage, s.showPage)
	s.mux.HandleFunc(EndpointPageAction, s.actOnPage)
}

// notSimulated are the groups of Didit's API that verifications do not need.
var notSimulated = [...]string{
	"session/imports/", "session/import-shared/", "questionnaires/", "businesses/", "customization/", "lists/",
	"transactions/", "wallet-screening/", "travel-rule/", "cases/", "id-verification/", "poa/", "database-validation/",
	"passive-liveness/", "face-match/", "face-search/", "age-estimation/", "aml/", "kyb/", "email/", "phone/", "ip/",
}

func simulates(path string) bool {
	group, ok := strings.CutPrefix(path, "/v3/")
	if !ok {
		return true
	}
	for _, prefix := range notSimulated {
		if strings.HasPrefix(group, prefix) {
			return false
		}
	}
	return !strings.HasSuffix(group, "/share/")
}

// sayNotSimulated answers a call of a group that is left out.
func (s *Server) sayNotSimulated(r *http.Request, _ []byte) answer {
	return *detail(http.StatusNotImplemented, "The simulator does not have this group of Didit's API: "+r.URL.Path)
}
