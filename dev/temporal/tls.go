package main

import (
	"errors"
	"slices"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/primitives"

	"didit-temporal/dev/temporal/authorizer"
)

func (o *Options) hasTLS() bool { return o.TLSCert != "" }

func (o *Options) checkTLS() error {
	switch {
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("-tls-cert and -tls-key: give both")
	case !o.hasTLS() && (o.TLSClientCA != "" || o.APIKey != ""):
		return errors.New("-tls-client-ca and -api-key: want -tls-cert too")
	case o.hasTLS() && o.UIPort != 0:
		return errors.New("-ui-port: this Web UI has no certificate, so it cannot go with -tls-cert")
	}
	return nil
}

func frontendTLS(o *Options) (g config.GroupTLS) {
	g.Server = config.ServerTLS{CertFile: o.TLSCert, KeyFile: o.TLSKey}
	if o.TLSClientCA != "" {
		g.Server.RequireClientAuth, g.Server.ClientCAFiles = true, []string{o.TLSClientCA}
	}
	return g
}

// internal is the address of the server's own frontend.
func (o *Options) internal() string {
	i := slices.Index(o.internalServices(), primitives.InternalFrontendService)
	if i < 0 {
		return ""
	}
	return o.address(o.InternalPorts[i])
}

// authorization decides who may call what.
func (o *Options) authorization() (authorization.Authorizer, authorization.ClaimMapper) {
	switch roles := (authorizer.Authorizer{Namespace: namespace}); {
	case o.APIKey != "":
		cloud := authorizer.Cloud{Namespace: namespace, Key: o.APIKey}
		return cloud, cloud
	case o.Roles && o.TLSClientCA != "":
		return roles, authorizer.ByCertificate{}
	case o.Roles:
		return roles, authorizer.ByToken{}
	}
	return authorization.NewNoopAuthorizer(), authorization.NewNoopClaimMapper()
}
