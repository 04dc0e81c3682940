package diditsim

import (
	"net/http"
	"slices"
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
	EndpointCreateDestination = "POST /v3/webhook/destinations/"
	EndpointRegister          = "POST /auth/v2/programmatic/register/"
	EndpointVerifyEmail       = "POST /auth/v2/programmatic/verify-email/"
	EndpointResendCode        = "POST /auth/v2/programmatic/resend-otp/"
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
	session := func(f handler[*session]) http.HandlerFunc { return s.keyed(named(s.sessionOf, f)) }
	flow := func(f handler[*flow]) http.HandlerFunc { return s.keyed(named(s.flowOf, f)) }
	user := func(f handler[*entity]) http.HandlerFunc { return s.keyed(named(s.userOf, f)) }
	destination := func(f handler[*target]) http.HandlerFunc { return s.keyed(named(s.targetOf, f)) }
	for endpoint, handler := range map[string]http.HandlerFunc{
		EndpointCreate:                                             s.keyed(decoded(s.create)),
		EndpointDecision:                                           s.api(s.decision),
		EndpointList:                                               s.keyed(s.list),
		EndpointUpdateStatus:                                       session(s.updateStatus),
		EndpointDelete:                                             session(decoded(s.delete)),
		EndpointReviews:                                            session(listReviews),
		"POST /v3/sessions/{id}/reviews/":                          session(decoded(s.addReview)),
		"PATCH /v3/session/{id}/update-data/":                      session(s.correct("OCR")),
		"PATCH /v3/session/{id}/update-poa-data/":                  session(s.correct("PROOF_OF_ADDRESS")),
		page + "/":                                                 session(report),
		"POST /v3/session/{id}/share/":                             session(decoded(s.shareSession)),
		"POST /v3/session/import-shared/":                          s.keyed(decoded(s.importShared)),
		"POST /v3/sessions/delete/":                                s.keyed(decoded(s.deleteSessions)),
		"GET /v3/workflows/":                                       s.keyed(s.listWorkflows),
		"POST /v3/workflows/":                                      s.keyed(s.createWorkflow),
		"GET /v3/workflows/{id}/":                                  flow(show),
		"PATCH /v3/workflows/{id}/":                                flow(updateWorkflow),
		"DELETE /v3/workflows/{id}/":                               flow(s.deleteWorkflow),
		"GET /v3/billing/balance/":                                 s.keyed(s.showBalance),
		"POST /v3/billing/top-up/":                                 s.keyed(decoded(topUp)),
		"GET /v3/users/":                                           s.keyed(s.listUsers),
		"POST /v3/users/create/":                                   s.keyed(s.createUser),
		"POST /v3/users/delete/":                                   s.keyed(decoded(s.deleteUsers)),
		"GET /v3/users/{vendor}/":                                  user(show),
		"PATCH /v3/users/{vendor}/":                                user(updateUser),
		"PATCH /v3/users/{vendor}/update-status/":                  user(updateUser),
		"GET /v3/webhook/destinations/":                            s.keyed(s.listDestinations),
		EndpointCreateDestination:                                  s.keyed(s.createDestination),
		"GET /v3/webhook/destinations/{id}/":                       destination(show),
		"PATCH /v3/webhook/destinations/{id}/":                     destination(s.updateDestination),
		"DELETE /v3/webhook/destinations/{id}/":                    destination(s.deleteDestination),
		"GET /v3/webhook/destinations/{id}/deliveries/":            destination(s.listDeliveries),
		"GET /v3/webhook/destinations/{id}/deliveries/{delivery}/": destination(s.showDelivery),
		EndpointRegister:                                           s.api(decoded(s.register)),
		EndpointVerifyEmail:                                        s.api(decoded(s.verifyEmail)),
		EndpointResendCode:                                         s.api(decoded(s.resendCode)),
		"POST /auth/v2/programmatic/login/":                        s.api(decoded(s.login)),
		org:                                                        s.withToken(showOrganizations),
		org + "{org}/applications/":                                s.withToken(showApplications),
		org + "{org}/applications/{app}/":                          s.withToken(showApplication),
	} {
		s.mux.HandleFunc(endpoint+"{$}", handler)
	}
	s.mux.HandleFunc(page, session(report)) // Didit's own programs omit the slash here
	s.mux.HandleFunc(EndpointHealth, s.api(s.health))
	s.mux.HandleFunc(EndpointPage, s.showPage)
	s.mux.HandleFunc(EndpointPageAction, s.actOnPage)
}

// notSimulated lists the groups of Didit's API that verifications do not need.
var notSimulated = [...]string{
	"session/imports/", "questionnaires/", "businesses/", "customization/", "lists/",
	"transactions/", "wallet-screening/", "travel-rule/", "cases/", "id-verification/", "poa/", "database-validation/",
	"passive-liveness/", "face-match/", "face-search/", "age-estimation/", "aml/", "kyb/", "email/", "phone/", "ip/",
}

func simulates(path string) bool {
	group, ok := strings.CutPrefix(path, "/v3/")
	return !ok || !slices.ContainsFunc(notSimulated[:], func(prefix string) bool { return strings.HasPrefix(group, prefix) })
}

// answerNotSimulated answers a call of such a group.
func answerNotSimulated(_ *application, r *http.Request, _ []byte) *answer {
	return detail(http.StatusNotImplemented, "The simulator does not have this group of Didit's API: "+r.URL.Path)
}
