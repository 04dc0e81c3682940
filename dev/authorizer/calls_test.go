//go:build !race

package authorizer_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

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
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	t.Logf("%s %s: %d %s", method, url, res.StatusCode, text)
	if answer != nil {
		require.NoError(t, json.Unmarshal(text, answer))
	}
	return res.StatusCode
}
