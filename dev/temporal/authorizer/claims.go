package authorizer

import (
	"strings"

	"go.temporal.io/server/common/authorization"
)

// ByCertificate is a claim mapper for mutual TLS: the common name of a client's certificate is its role. The server itself talks to
// its frontend too: give it an internal frontend, or a certificate of the operator's role.
type ByCertificate struct{}

// GetClaims implements authorization.ClaimMapper.
func (ByCertificate) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if info.TLSSubject == nil {
		return &authorization.Claims{}, nil
	}
	return claims(info.TLSSubject.CommonName), nil
}

// ByToken takes the name of a role for its token, as a stand-in for certificates on loopback. The server itself has no token there,
// so a caller without one is an operator.
type ByToken struct{}

// GetClaims implements authorization.ClaimMapper.
func (ByToken) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if info.AuthToken == "" {
		return claims(string(Operator)), nil
	}
	return claims(strings.TrimPrefix(info.AuthToken, "Bearer ")), nil
}

// AuthInfoRequired reports that a call without a token is mapped too.
func (ByToken) AuthInfoRequired() bool { return false }

func claims(name string) *authorization.Claims {
	switch role := Role(name); role {
	case Webhook, API, Worker, Operator:
		return &authorization.Claims{Subject: name, Extensions: role}
	}
	return &authorization.Claims{Subject: name}
}
