package ops_test

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/sdk/client"

	"didit-temporal/internal/ops"
)

func TestTemporalCloudIsKnownByItsNames(t *testing.T) {
	for name, tc := range map[string]struct {
		address, serverName string
		want                bool
	}{
		"the endpoint of a namespace":          {"kyc.a1b2c.tmprl.cloud:7233", "", true},
		"the endpoint of a region":             {"eu-central-1.aws.api.temporal.io:7233", "", true},
		"in other letters, with a final dot":   {"KYC.a1b2c.TMPRL.cloud.:7233", "", true},
		"with a scheme of gRPC":                {"dns:///kyc.a1b2c.tmprl.cloud:7233", "", true},
		"without a port":                       {"kyc.a1b2c.tmprl.cloud", "", true},
		"a private link":                       {"vpce-0123.vpce-svc-4567.eu-central-1.vpce.amazonaws.com:7233", "kyc.a1b2c.tmprl.cloud", true},
		"a server of one's own":                {"temporal.internal:7233", "", false},
		"a server of one's own, with its name": {"10.0.0.7:7233", "temporal.internal", false},
		"a name that only looks like it":       {"tmprl.cloud.example:7233", "", false},
		"a domain that only ends like it":      {"mytmprl.cloud:7233", "", false},
		"the default":                          {"", "", false},
	} {
		o := client.Options{HostPort: tc.address}
		if tc.serverName != "" {
			o.ConnectionOptions.TLS = &tls.Config{ServerName: tc.serverName, MinVersion: tls.VersionTLS12}
		}
		assert.Equal(t, tc.want, ops.OnCloud(o), name)
	}
}
