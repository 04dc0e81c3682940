package authorizer

import (
	"context"
	"crypto/subtle"
	"strings"

	"go.temporal.io/server/common/authorization"
)

// Cloud stands in for Temporal Cloud: it maps and decides the calls of clients as Cloud does for an API key with the permission
// Write on Namespace. The operator service is closed to them (docs.temporal.io/cloud/manage-access/permissions-reference).
type Cloud struct{ Namespace, Key string }

// GetClaims implements authorization.ClaimMapper.
func (c Cloud) GetClaims(info *authorization.AuthInfo) (*authorization.Claims, error) {
	if subtle.ConstantTimeCompare([]byte(info.AuthToken), []byte("Bearer "+c.Key)) == 0 {
		return &authorization.Claims{}, nil
	}
	return &authorization.Claims{Namespaces: map[string]authorization.Role{c.Namespace: authorization.RoleWriter}}, nil
}

// AuthInfoRequired reports that a call without a key is mapped too.
func (Cloud) AuthInfoRequired() bool { return false }

// Authorize implements authorization.Authorizer.
func (Cloud) Authorize(ctx context.Context, claims *authorization.Claims, target *authorization.CallTarget) (authorization.Result, error) {
	if strings.HasPrefix(target.APIName, "/temporal.api.operatorservice.") && !isServer(claims) {
		return deny, nil
	}
	return authorization.NewDefaultAuthorizer().Authorize(ctx, claims, target)
}

// isServer reports whether the server calls itself, through the service internal-frontend.
func isServer(claims *authorization.Claims) bool {
	return claims != nil && claims.System == authorization.RoleAdmin
}
