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
