package ops

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"go.temporal.io/sdk/client"
)

// OnCloud reports whether a connection with these options reaches Temporal Cloud: by the host, or, through a private link or a
// proxy, by the name that TLS expects there.
func OnCloud(o client.Options) bool {
	names := []string{hostOf(o.HostPort)}
	if tls := o.ConnectionOptions.TLS; tls != nil {
		names = append(names, tls.ServerName)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		return strings.HasSuffix(name, ".tmprl.cloud") || strings.HasSuffix(name, ".api.temporal.io")
	})
}

// hostOf drops the port, and what the SDK takes in front of an address, such as dns:///.
func hostOf(address string) string {
	address = address[strings.LastIndex(address, "/")+1:]
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// RetentionCommand is what an administrator of Temporal Cloud runs so that a namespace keeps closed verifications for
// WantedRetention.
func RetentionCommand(namespace string) string {
	return fmt.Sprintf("tcld namespace retention set --namespace %s --retention-days %.0f", namespace, WantedRetention.Hours()/24)
}
