package authorizer

import (
	"crypto/x509/pkix"
	"testing"

	"go.temporal.io/server/common/authorization"
)

func TestTheCommonNameOfACertificateIsTheRole(t *testing.T) {
	for name, want := range map[string]any{"kyc-webhook": Webhook, "kyc-operator": Operator, "stranger": nil} {
		claims, err := ByCertificate{}.GetClaims(&authorization.AuthInfo{TLSSubject: &pkix.Name{CommonName: name}})
		if err != nil || claims.Extensions != want {
			t.Errorf("%s: %v, %v; want %v", name, claims, err, want)
		}
	}
}

func TestWithoutACertificateNothingIsAllowed(t *testing.T) {
	claims, err := ByCertificate{}.GetClaims(&authorization.AuthInfo{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Authorizer{Namespace: "default"}.Authorize(t.Context(), claims, &authorization.CallTarget{Namespace: "default"})
	if err != nil || got.Decision != authorization.DecisionDeny {
		t.Errorf("%v, %v", got, err)
	}
}

// The service internal-frontend, by which a server with TLS calls itself, has no certificate to show.
func TestTheServerMayCallItself(t *testing.T) {
	claims, err := authorization.NewInternalClaimMapper().GetClaims(&authorization.AuthInfo{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []authorization.Authorizer{Authorizer{Namespace: "default"}, Cloud{Namespace: "default"}} {
		got, err := a.Authorize(t.Context(), claims, &authorization.CallTarget{APIName: "/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes"})
		if err != nil || got.Decision != authorization.DecisionAllow {
			t.Errorf("%T: %v, %v", a, got, err)
		}
	}
}

func TestAKeyMayWriteInItsNamespaceAndNotOperate(t *testing.T) {
	const (
		start = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"
		list  = "/temporal.api.operatorservice.v1.OperatorService/ListSearchAttributes"
	)
	cloud := Cloud{Namespace: "default", Key: "right"}
	for name, tc := range map[string]struct {
		token, api, namespace string
		want                  authorization.Decision
	}{
		"a write":              {"Bearer right", start, "default", authorization.DecisionAllow},
		"in another namespace": {"Bearer right", start, "other", authorization.DecisionDeny},
		"as an operator":       {"Bearer right", list, "default", authorization.DecisionDeny},
		"another key":          {"Bearer wrong", start, "default", authorization.DecisionDeny},
		"no key":               {"", start, "default", authorization.DecisionDeny},
	} {
		claims, err := cloud.GetClaims(&authorization.AuthInfo{AuthToken: tc.token})
		if err != nil {
			t.Fatal(err)
		}
		got, err := cloud.Authorize(t.Context(), claims, &authorization.CallTarget{APIName: tc.api, Namespace: tc.namespace})
		if err != nil || got.Decision != tc.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
