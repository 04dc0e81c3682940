//go:build !race

package authorizer_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/tserver"
)

// connect is the SDK's own client. It is lazy: a role that may do nothing cannot even connect.
func connect(t *testing.T, s *tserver.Server, role role) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{
		HostPort: s.Address, Credentials: client.NewAPIKeyStaticCredentials(string(role)), Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{TLSDisabled: true},
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func describe(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	return err
}

func change(ctx context.Context, c client.Client) error {
	_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: "default"})
	return err
}

// run runs a process until the test ends, and returns the address of the listener that it was given.
func run(t *testing.T, serve func(context.Context, net.Listener) error) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-done)
	})
	return listener.Addr().String()
}

func call(t *testing.T, method, url, body string, answer *map[string]any) int {
	t.Helper()
	code, text, err := harness.Call(harness.Within(t, timeout), http.DefaultClient, bearer, method, url, body)
	require.NoError(t, err)
	t.Logf("%s %s: %d %s", method, url, code, text)
	if answer != nil {
		require.NoError(t, json.Unmarshal(text, answer))
	}
	return code
}
